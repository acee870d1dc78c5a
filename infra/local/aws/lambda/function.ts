/**
 * What a local Lambda function is to those who create, invoke and disturb it. How it does so is in lambda-host.ts.
 */
import type { WaitOptions } from '../../facts/waiting.ts';
import type { InvokeResult } from './invoke-result.ts';
import type { Variables } from './variables.ts';

export interface LambdaFunctionOptions {
  readonly name: string;
  /** Absolute path of the module that exports the handler. Its folder is the function's LAMBDA_TASK_ROOT. */
  readonly bundle: string;
  /** Default `handler`. */
  readonly exportName?: string;
  /** The function's own variables. Nothing of this process's environment is added. */
  readonly environment: Variables;
  /** Default 3, as Lambda's. */
  readonly timeoutSeconds?: number;
  /** How long a first init may take. Default 10000, as on Lambda, where it cannot be changed. */
  readonly initLimitMs?: number;
  /** Bounds V8's heap, as on Lambda. Default 512. */
  readonly memoryMb?: number;
  /** Default: the 1000 of an account. 0 refuses every invocation. */
  readonly reservedConcurrency?: number;
  /** Default `eu-central-1`. */
  readonly region?: string;
  /** Whether processes stand still between invocations. Default true. */
  readonly freeze?: boolean;
  /** Gets every line of every process, and Lambda's own between them; all lines of an invocation before its result. */
  readonly onOutput?: (line: string) => void;
  /** Gets the credentials that are made for the processes. */
  readonly confidential?: (value: string) => void;
}

export interface LambdaFunction {
  readonly name: string;
  readonly arn: string;
  /** As it is now; the variables are the function's own. */
  readonly configuration: { readonly timeoutSeconds: number; readonly memoryMb: number; readonly variables: Variables };
  /**
   * Invokes the function and waits for its result, as `RequestResponse` does. Never rejects for what a function or
   * Lambda's limits do.
   */
  invoke(event: unknown): Promise<InvokeResult>;
  /** Live execution environments. */
  readonly environments: number;
  /** Invocations that had to wait for a new environment. */
  readonly coldStarts: number;
  /** Invocations that ran or tried to, without those that were refused. */
  readonly invocations: number;
  readonly running: readonly { readonly pid: number; readonly busy: boolean }[];
  /** Ends all processes; invocations in flight fail with `Runtime.ExitError`. Default `SIGKILL`. */
  killEnvironments(signal?: NodeJS.Signals): Promise<void>;
  /** Kills the process of the `count`th invocation (from 1) once that has its event. */
  killDuring(count: number, options?: WaitOptions): Promise<void>;
  /** Resolves once `count` invocations in all have had their event handed to a process. */
  waitForInvocationStart(count: number, options?: WaitOptions): Promise<void>;
  /** Resolves once `count` invocations in all have had their result. */
  waitForInvocationEnd(count: number, options?: WaitOptions): Promise<void>;
  /**
   * Replaces the function's own variables, as UpdateFunctionConfiguration: idle environments end now, busy ones after
   * their invocation.
   * @throws InvalidParameterValueException
   */
  updateEnvironment(variables: Variables): Promise<void>;
  /** Ends everything; later invocations fail with `ResourceNotFoundException`. */
  stop(): Promise<void>;
}

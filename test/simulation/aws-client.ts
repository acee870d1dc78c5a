/**
 * The AWS SDK's clients as the relay sees them, on simulated time: commands with an input, three attempts, errors that
 * are recognised by their name. What an operation does is the services'; what goes wrong on the way is handed in as
 * fates.
 */
import { AwsError, type JsonObject } from '../../infra/local/aws/aws-json.ts';
import type { Gate } from './gate.ts';
import type { Caller } from './network.ts';
import type { Scheduler } from './scheduler.ts';

export type Service = 'secrets' | 'sqs' | 's3';

export type CallFate =
  /** The service says that there are too many calls; the SDK tries again. */
  | 'throttled'
  /** The service refuses for good. */
  | 'refused'
  /** It never arrives. */
  | 'lost before'
  /** It is carried out, and the answer is lost. */
  | 'lost after'
  | { readonly slowMs: number };

/** One operation as the relay asked for it, however many attempts it takes. */
export interface Call {
  readonly service: Service;
  readonly operation: string;
  readonly input: JsonObject;
  readonly caller: Caller;
  /** Of the caller, that it belongs to. */
  readonly invocation: object | undefined;
  readonly startedAt: number;
  /** How often the service carried it out. */
  performed: number;
  /** What the relay got in the end. */
  end: 'ok' | 'error' | 'given up' | undefined;
  output: JsonObject | undefined;
}

export interface AwsOptions {
  readonly scheduler: Scheduler;
  readonly random: () => number;
  /** Carries it out. @throws AwsError */
  readonly perform: (call: Call) => JsonObject;
  readonly fateOf: (call: Call) => CallFate | undefined;
  readonly onEnd: (call: Call) => void;
}

const refusals = {
  throttled: () => named('ThrottlingException', 'Rate exceeded', 503),
  refused: () => named('AccessDeniedException', 'not authorized', 403),
};

const MAX_ATTEMPTS = 3;
/** As the relay sets its clients: no answer within this is an error. */
const REQUEST_TIMEOUT_MS = 5_000;

/** The modules by their names in npm. */
export function createAwsModules(options: AwsOptions, gate: Gate, caller: Caller): Readonly<Record<string, object>> {
  const { scheduler, random, perform, fateOf, onEnd } = options;
  const wayMs = () => 1 + Math.floor(random() * 15);

  function client(service: Service) {
    return class Client {
      send(command: { operation: string; input: JsonObject }, { abortSignal }: { abortSignal?: AbortSignal } = {}) {
        return call(service, command, abortSignal);
      }
    };
  }

  function call(
    service: Service,
    { operation, input }: { operation: string; input: JsonObject },
    signal: AbortSignal | undefined,
  ): Promise<JsonObject> {
    const made: Call = {
      service,
      operation,
      input,
      caller,
      invocation: caller.invocation(),
      startedAt: scheduler.now(),
      performed: 0,
      end: undefined,
      output: undefined,
    };
    return new Promise((resolve, reject) => {
      let attempts = 0;
      const abort = () => settle('given up', named('AbortError', 'Request aborted'));
      if (signal?.aborted === true) return abort();
      signal?.addEventListener('abort', abort, { once: true });
      attempt();

      function settle(end: NonNullable<Call['end']>, result: JsonObject | Error): void {
        if (made.end !== undefined) return;
        made.end = end;
        signal?.removeEventListener('abort', abort);
        if (result instanceof Error) reject(result);
        else {
          made.output = result;
          resolve(result);
        }
        onEnd(made);
      }

      function failed(error: Error, isRetryable: boolean): void {
        if (made.end !== undefined) return;
        if (!isRetryable || attempts >= MAX_ATTEMPTS) settle('error', error);
        else gate.after(random() * 100 * 2 ** attempts, attempt);
      }

      function attempt(): void {
        if (made.end !== undefined || !gate.leave()) return;
        attempts += 1;
        const fate = fateOf(made);
        const back = (run: () => void, ms = wayMs()) => {
          scheduler.after(ms, () => gate.enter(run));
        };
        if (fate === 'lost before') {
          gate.after(REQUEST_TIMEOUT_MS, () => failed(named('TimeoutError', 'no answer'), true));
          return;
        }
        scheduler.after(wayMs(), () => {
          const refusal = refusals[fate as keyof typeof refusals];
          if (refusal !== undefined) back(() => failed(refusal(), fate === 'throttled'));
          else carryOut(fate, back);
        });
      }

      function carryOut(fate: CallFate | undefined, back: (run: () => void, ms?: number) => void): void {
        const slowMs = typeof fate === 'object' ? fate.slowMs : 0;
        let told: () => void;
        try {
          const output = perform(made);
          made.performed += 1;
          told = () => settle('ok', output);
        } catch (error) {
          if (!(error instanceof AwsError)) throw error;
          told = () => failed(named(error.type.replace(/^.*#/, ''), error.message, error.status), false);
        }
        if (fate === 'lost after' || slowMs >= REQUEST_TIMEOUT_MS) {
          back(() => failed(named('TimeoutError', 'no answer'), true), REQUEST_TIMEOUT_MS);
        } else back(told, wayMs() + slowMs);
      }
    });
  }

  const command = (operation: string) =>
    class Command {
      readonly operation = operation;
      readonly input: JsonObject;
      constructor(input: JsonObject) {
        this.input = input;
      }
    };

  return {
    '@aws-sdk/client-secrets-manager': {
      SecretsManagerClient: client('secrets'),
      GetSecretValueCommand: command('GetSecretValue'),
    },
    '@aws-sdk/client-sqs': {
      SQSClient: client('sqs'),
      SendMessageCommand: command('SendMessage'),
      ChangeMessageVisibilityBatchCommand: command('ChangeMessageVisibilityBatch'),
    },
    '@aws-sdk/client-s3': {
      S3Client: client('s3'),
      HeadObjectCommand: command('HeadObject'),
      GetObjectCommand: command('GetObject'),
      PutObjectCommand: command('PutObject'),
      DeleteObjectCommand: command('DeleteObject'),
    },
  };
}

/** @param httpStatusCode of the answer, where there was one */
function named(name: string, message: string, httpStatusCode?: number): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });
}

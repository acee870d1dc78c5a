/**
 * The runtime node in simulated time: the order in which a call is judged, CSRF sessions, refusals and what a flow answers
 * are the landscape's; who judges a token is `authorization.ts`. It tells of each message whose flow ran.
 */

import { createCsrfSessions } from '../../infra/local/sap/csrf.ts';
import { mplId, type RandomBytes, uuid } from '../../infra/local/sap/identifiers.ts';
import {
  createIntegrationFlow,
  type FlowResult,
  type Processed,
  receive,
  run,
} from '../../infra/local/sap/integration-flow.ts';
import { userOf } from '../../infra/local/sap/oauth-client.ts';
import * as answers from '../../infra/local/sap/runtime-answer.ts';
import type { Answer, Request } from '../../infra/local/server.ts';
import type { Authorization } from './authorization.ts';
import type { Exchange } from './network.ts';

/** One integration flow with its endpoint `/http/<name>`. */
export interface FlowOptions {
  readonly name: string;
  readonly csrfProtected: boolean;
  readonly runtime: 6 | 8;
  readonly returnMplId: boolean;
}

export interface NodeOptions {
  readonly environment: 'cf' | 'neo';
  readonly authorization: Authorization;
  readonly flows: readonly FlowOptions[];
  readonly now: () => number;
  readonly random: RandomBytes;
  readonly workers: number;
  readonly expiredTokenStatus: 401 | 500;
  /** What the flow makes of a message. */
  readonly verdictOn: (messageId: string, body: Buffer) => FlowResult;
  readonly onRun: (message: Processed, exchange: Exchange) => void;
  readonly confidential: (value: string) => void;
}

export interface RuntimeNode {
  answer(request: Request, exchange: Exchange): Promise<Answer>;
  dropCsrfSessions(): void;
  /** An undeployed flow's endpoint is not there. */
  deploy(name: string, on: boolean): void;
}

export function createRuntimeNode(options: NodeOptions): RuntimeNode {
  const { environment, authorization, now, random, workers, verdictOn, onRun, confidential } = options;
  const csrf = createCsrfSessions({
    environment,
    accountName: 'acme-dev',
    host: 'acme-dev-iflmap.hana.ondemand.com',
    workers,
    now,
    random,
    sessionIdleMs: 20 * 60_000,
    confidential,
  });
  const undeployed = new Set<string>();
  const flows = options.flows.map((flow) =>
    createIntegrationFlow({
      ...flow,
      address: `/${flow.name}`,
      answer: ({ messageId = '', body }) => verdictOn(messageId, body),
    }),
  );

  async function judge(request: Request, exchange: Exchange): Promise<Answer> {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) return answers.unauthorized(environment, request);
    const verdict = await authorization.judge(token, now());
    if (verdict.kind === 'expired' && options.expiredTokenStatus === 500) return answers.securityFailure();
    if (verdict.kind !== 'accepted') return answers.unauthorized(environment, request);
    const flow = flows.find(({ address }) => request.path === `/http${address}`);
    if (flow === undefined || undeployed.has(flow.name)) return answers.notFound();
    if (!verdict.mayCall) return answers.forbidden();
    if (request.method === 'HEAD' && !flow.csrfProtected) return answers.methodNotAllowed();
    if (flow.csrfProtected) {
      const decision = csrf.check(request);
      if (decision.kind === 'fetched') return answers.csrfFetched(decision.token, decision.setCookies);
      if (decision.kind === 'required') return answers.csrfRequired(decision.setCookies);
    }
    const received = receive(flow, request, { mplId: mplId(random), at: now(), user: userOf(verdict.clientId) });
    const answer = await run(flow, received, uuid(random));
    onRun({ ...received, status: answer.status }, exchange);
    return answer;
  }

  return {
    async answer(request, exchange) {
      const answer = await judge(request, exchange);
      return { ...answer, headers: { Date: new Date(now()).toUTCString(), ...answer.headers } };
    },
    dropCsrfSessions: csrf.drop,
    deploy(name, on) {
      if (on) undeployed.delete(name);
      else undeployed.add(name);
    },
  };
}

/**
 * The runtime node in simulated time: the landscape's own, senders, CSRF sessions and refusals included. Only the check
 * of a token's signature takes real time, so the node is shown every token as an opaque one, and asks
 * `authorization.ts`. It reports each message whose flow ran, and on which exchange.
 */
import type { requestTo } from '../../infra/local/sap/http-call.ts';
import type { RandomBytes } from '../../infra/local/sap/identifiers.ts';
import type { FlowResult, Processed, Received } from '../../infra/local/sap/runtime-node/message.ts';
import * as answers from '../../infra/local/sap/runtime-node/runtime-answer.ts';
import { createRuntimeNode as createNode } from '../../infra/local/sap/runtime-node/runtime-node.ts';
import type { Answer, Request } from '../../infra/local/server/server.ts';
import { type Authorization, SUBSCRIPTION } from './authorization.ts';
import type { Exchange } from './network.ts';

/** One integration flow with its endpoint `/http/<name>`. */
export interface FlowOptions {
  readonly name: string;
  readonly csrfProtected: boolean;
  readonly runtime: 6 | 8;
  readonly returnMplId: boolean;
}

export interface NodeOptions {
  readonly authorization: Authorization;
  readonly flows: readonly FlowOptions[];
  readonly now: () => number;
  readonly random: RandomBytes;
  readonly workers: number;
  readonly expiredTokenStatus: 401 | 500;
  /** What the flow makes of a message. */
  readonly verdictOn: (message: Received) => FlowResult;
  readonly onRun: (message: Processed, exchange: Exchange) => void;
  readonly confidential: (value: string) => void;
}

export interface RuntimeNode {
  answer(request: Request, exchange: Exchange): Promise<Answer>;
  dropCsrfSessions(): void;
  /** An undeployed flow's endpoint is not there. */
  deploy(name: string, on: boolean): void;
}

/** Told to the flow, so that a run finds the exchange that caused it. */
const EXCHANGE_HEADER = 'x-simulated-exchange';

export function createRuntimeNode(options: NodeOptions): RuntimeNode {
  const { authorization, now, random, workers, verdictOn, onRun, confidential } = options;
  const { account, server } = authorization;
  const { trust } = server;
  const tokens = new Map<string, string>();
  const exchanges = new Map<string, Exchange>();
  const deployed = new Set<string>();
  const node = createNode({ subscription: SUBSCRIPTION, trust, call: introspect, now, random, workers, confidential });
  let told = 0;
  for (const { name } of options.flows) deploy(name, true);

  /** By the answers that a runtime node knows of an opaque token. */
  async function introspect({ body }: ReturnType<typeof requestTo>): Promise<Answer> {
    const form = new URLSearchParams(body.toString());
    const token = tokens.get(form.get('token') ?? form.get('access_token') ?? '') ?? '';
    const verdict = await authorization.judge(token, now());
    if (verdict.kind !== 'accepted') {
      return { status: account.environment === 'neo' ? 401 : 200, body: JSON.stringify({ active: false }) };
    }
    const { audience } = account.subscription(SUBSCRIPTION);
    const { clientId, scopes } = verdict;
    const said = { active: true, client_id: clientId, aud: [audience], scope: scopes.join(' ') };
    return { status: 200, body: JSON.stringify(said) };
  }

  function deploy(name: string, on: boolean): void {
    const flow = options.flows.find((one) => one.name === name);
    if (!on && deployed.delete(name)) node.undeploy(name);
    if (!on || flow === undefined || deployed.has(name)) return;
    deployed.add(name);
    node.deploy({ ...flow, address: `/${name}`, allowedHeaders: ['*'], answer: verdictOn });
  }

  function tellRuns(): void {
    for (const processed of node.messages.slice(told)) {
      const exchange = exchanges.get(processed.headers[EXCHANGE_HEADER] ?? '');
      if (exchange === undefined) continue;
      exchange.ran = true;
      onRun(processed, exchange);
    }
    told = node.messages.length;
  }

  return {
    async answer(request, exchange) {
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
      const shown = token.replaceAll('.', '-');
      tokens.set(shown, token);
      const verdict = options.expiredTokenStatus === 500 ? await authorization.judge(token, now()) : undefined;
      if (verdict?.kind === 'expired') return answers.securityFailure();
      const name = String(exchange.number);
      exchanges.set(name, exchange);
      const headers = { ...request.headers, authorization: `Bearer ${shown}`, [EXCHANGE_HEADER]: name };
      const answer = await node.answer({ ...request, headers });
      tellRuns();
      exchanges.delete(name);
      return answer;
    },
    dropCsrfSessions: node.dropCsrfSessions,
    deploy,
  };
}

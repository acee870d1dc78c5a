/** What is counted of a landscape: by these numbers a story says what happened, and that nothing else did. */
import type { Landscape, LocalDestination } from '../../infra/local/landscape.ts';

/** Everything that is counted, so that one comparison says all of it. */
export interface Tally {
  /** Statuses of the token endpoint's answers, in order. */
  readonly tokenRequests: readonly number[];
  /** Answered reads of Secrets Manager by secret. */
  readonly secretReads: Readonly<Record<string, number>>;
  /** Calls of the runtime node by method and status: `POST 200`. */
  readonly calls: Readonly<Record<string, number>>;
  /** Messages for which a flow ran, whatever came of it. */
  readonly flowRuns: number;
  /** Messages left in all queues, and in all dead-letter queues. */
  readonly left: number;
  readonly dead: number;
}

export function tally(landscape: Landscape, destinations: readonly LocalDestination[]): Tally {
  const { authorizationServer, secretsManager, runtimeNode } = landscape;
  return {
    tokenRequests: authorizationServer.tokenRequests.map(({ status }) => status),
    secretReads: countBy(secretsManager.reads, ({ secretId }) => secretId),
    calls: countBy(runtimeNode.requests, ({ method, status }) => `${method} ${status}`),
    flowRuns: runtimeNode.messages.length,
    left: destinations.reduce((sum, { queue }) => sum + queue.size, 0),
    dead: destinations.reduce((sum, { deadLetterQueue }) => sum + deadLetterQueue.size, 0),
  };
}

/** How many values have the same key. */
export function countBy<T>(values: readonly T[], key: (value: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[key(value)] = (counts[key(value)] ?? 0) + 1;
  return counts;
}

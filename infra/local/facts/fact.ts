/**
 * What happens in the landscape, told by its parts as soon as it has happened: one union for whoever watches all of
 * them. Each event is its part's own; here they only get the part's name.
 */
import type { GatewayEvent } from '../aws/http-api/http-api.ts';
import type { TriggerEvent } from '../aws/queue-trigger/queue-trigger.ts';
import type { SecretRead } from '../aws/secrets-manager/secrets-manager.ts';
import type { QueueEvent } from '../aws/sqs/sqs.ts';
import type { TokenRequestEntry } from '../sap/authorization-server/token-endpoint.ts';
import type { CallEvent, RunEvent } from '../sap/runtime-node/runtime-node.ts';
import type { Fault, Request } from '../server/server.ts';

export type Fact =
  | { readonly of: 'queue'; readonly event: QueueEvent }
  | { readonly of: 'trigger'; readonly event: TriggerEvent }
  | { readonly of: 'gateway'; readonly event: GatewayEvent }
  | { readonly of: 'secrets-manager'; readonly event: SecretRead }
  | { readonly of: 'authorization-server'; readonly event: TokenRequestEntry }
  | { readonly of: 'runtime-node'; readonly event: CallEvent | RunEvent }
  /** A request to the runtime node that a fault of its server has hit. */
  | { readonly of: 'fault'; readonly event: { readonly at: number; readonly request: Request; readonly fault: Fault } }
  /** A line that a process of the relay, or Lambda itself, wrote. */
  | { readonly of: 'function'; readonly event: { readonly at: number; readonly line: string } };

export type Report = (fact: Fact) => void;

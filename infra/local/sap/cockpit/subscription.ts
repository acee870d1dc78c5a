/**
 * The runtime nodes that an account is subscribed to, as the cockpit lists them. What a client may do there is for
 * `account.ts`, and what happens there for `runtime-node.ts`.
 */
import type { Environment } from './oauth-client.ts';

/** A runtime node that the account is subscribed to. */
export interface Subscription {
  /** As in the cockpit's list; ends with the node type: `acme-dev.iflmap`. */
  readonly vmName: string;
  readonly nodeType: string;
  /** Who a token for it is meant for: the VM name on Neo [assumed], the application's name `it-rt-…!b56` on CF. */
  readonly audience: string;
}

export interface Subscriptions {
  /** Throws an Error when the VM name does not end with its node type, or is there already. */
  add(subscription: { readonly vmName: string; readonly nodeType: string }): Subscription;
  /** Throws an Error when there is no such subscription. */
  get(vmName: string): Subscription;
}

/** None yet, for the account of that name. */
export function createSubscriptions(accountName: string, environment: Environment): Subscriptions {
  const subscriptions = new Map<string, Subscription>();
  return {
    add: ({ vmName, nodeType }) => {
      if (!vmName.endsWith(`.${nodeType}`))
        throw new Error(`vmName: ${vmName} must end with its node type .${nodeType}`);
      if (subscriptions.has(vmName))
        throw new Error(`vmName: account ${accountName} is already subscribed to ${vmName}`);
      const tenant = vmName.slice(0, -nodeType.length - 1);
      const audience = environment === 'neo' ? vmName : `it-rt-${tenant}!b${56 + subscriptions.size}`;
      const added = { vmName, nodeType, audience };
      subscriptions.set(vmName, added);
      return added;
    },
    get: (vmName) => {
      const found = subscriptions.get(vmName);
      if (found === undefined) throw new Error(`subscription: account ${accountName} is not subscribed to ${vmName}`);
      return found;
    },
  };
}

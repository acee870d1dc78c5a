/** What the webhook function has beside the rest: a door for each destination that has a webhook, and what lies behind it. */

import type { Environment } from '../environment.ts';
import type { Door } from './admission.ts';
import type { Ways } from './dispatch.ts';
import { createEnqueue } from './enqueue.ts';
import { createVerifiers } from './verification/verifiers.ts';

/** @returns the webhook of a name; undefined if there is none. One whose settings are invalid is told in the log, once */
export function createDoors(environment: Environment): (name: string) => Door<Ways> | 'out-of-order' | undefined {
  const createVerifier = createVerifiers(environment);
  const doors = new Map<string, Door<Ways> | 'out-of-order'>();
  for (const [name, destination] of environment.settings.destinations) {
    if (!('error' in destination) || !destination.hasWebhook) continue;
    doors.set(name, 'out-of-order');
    environment.telemetry.problem('webhook.unavailable', { destination: name, reason: destination.error.message });
  }
  for (const [name, { destination, route }] of environment.ways) {
    const { webhook, forwardHeaders } = destination;
    if (webhook === undefined) continue;
    const enqueue = createEnqueue({ ...environment, destination });
    const verifiers = webhook.verify.map(createVerifier);
    doors.set(name, { name, webhook, forwardHeaders, verifiers, behind: { destination: name, route, enqueue } });
  }
  return (name) => doors.get(name);
}

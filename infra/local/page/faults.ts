/**
 * What can be made to fail by hand, and be mended: each by a name, with the fields it takes. What a fault does is the
 * landscape's own; here is which buttons there are, and what they press.
 */
import type { Deployed, Landscape, LocalDestination } from '../landscape.ts';
import { nginxPage, serviceUnavailable, tooManyRequests } from '../sap/front.ts';
import type { FlowResult, Received } from '../sap/runtime-node/integration-flow.ts';
import type { LocalServer } from '../server/server.ts';
import type { Ledger } from './ledger.ts';
import { replayLetters } from './replay.ts';
import { sampleFor, sendSample } from './samples.ts';

/** A request that names what there is not, or what is out of its limits. Its text is for whoever sent it. */
export class FaultMistake extends Error {
  override readonly name = 'FaultMistake';
}

type System = 'runtime-node' | 'authorization-server';

export type Field =
  | { readonly name: 'destination' }
  | { readonly name: 'times' | 'ms'; readonly least: number; readonly most: number; readonly usual: number }
  | { readonly name: 'how' | 'system' | 'status'; readonly choices: readonly string[] };

export interface FaultButton {
  readonly name: string;
  readonly group: 'Mend' | 'Credentials' | 'Outages' | 'Answers' | 'Messages';
  /** What the button says. */
  readonly title: string;
  /** What happens then, in one sentence. */
  readonly effect: string;
  readonly fields: readonly Field[];
}

export interface Faults {
  readonly buttons: readonly FaultButton[];
  /** What is out of order now, one sentence each. */
  readonly active: readonly string[];
  /** Tokens issued before are refused; epoch ms. */
  readonly tokensVoidAt: number;
  /**
   * Does it, and says in one sentence what was done.
   * @param name of a button @param fields as they came, from outside
   * @throws FaultMistake
   */
  press(name: string, fields: Readonly<Record<string, unknown>>): Promise<string>;
}

interface Pressed {
  readonly destination: LocalDestination;
  readonly times: number;
  readonly ms: number;
  readonly how: string;
  readonly system: System;
  readonly status: string;
}

interface Button extends FaultButton {
  readonly press: (fields: Pressed) => string | Promise<string>;
}

const destination: Field = { name: 'destination' };
const system: Field = { name: 'system', choices: ['runtime-node', 'authorization-server'] };
const times = (most: number, usual: number): Field => ({ name: 'times', least: 1, most, usual });
const NAMES: Readonly<Record<System, string>> = {
  'runtime-node': 'runtime node',
  'authorization-server': 'authorization server',
};

/** In the names of buttons. */
const SHORT_NAMES: Readonly<Record<System, string>> = {
  'runtime-node': 'node',
  'authorization-server': 'authorization-server',
};

/** How many messages a flow is still to refuse, or to fail on. */
interface Disturbance {
  refuse: number;
  fail: number;
}

export interface FaultsOptions {
  readonly landscape: Landscape;
  readonly deployed: Deployed;
  readonly ledger: Pick<Ledger, 'hidden'>;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  readonly now: () => number;
}

export function createFaults({ landscape, deployed, ledger, signal, now }: FaultsOptions): Faults {
  const { authorizationServer, runtimeNode, destinations } = landscape;
  const servers: Readonly<Record<System, LocalServer>> = {
    'runtime-node': runtimeNode.server,
    'authorization-server': authorizationServer.server,
  };
  const disturbances = new Map<string, Disturbance>();
  const protectedAtFirst = new Map(destinations.map(({ name, flow }) => [name, flow.csrfProtected]));
  /** Destinations whose secret at SAP is another than that in Secrets Manager. */
  const unstored = new Set<string>();
  let tokensVoidAt = 0;

  /** From its first disturbance on a flow asks before each message whether it is to go wrong. */
  function disturb({ name, flow, redeployFlow }: LocalDestination): Disturbance {
    const known = disturbances.get(name);
    if (known !== undefined) return known;
    const disturbance: Disturbance = { refuse: 0, fail: 0 };
    disturbances.set(name, disturbance);
    const { answer, sender } = flow;
    redeployFlow({
      answer: (received: Received): FlowResult | Promise<FlowResult> => {
        if (disturbance.refuse > 0) {
          disturbance.refuse -= 1;
          return refusal(sender);
        }
        if (disturbance.fail > 0) {
          disturbance.fail -= 1;
          return { exception: 'java.lang.IllegalStateException: made to fail by hand' };
        }
        return answer?.(received);
      },
    });
    return disturbance;
  }

  function answerNext({ system: at, status, times: count, destination: to }: Pressed): string {
    if (status === '500' && at === 'runtime-node') {
      disturb(to).fail += count;
      return `The flow ${to.name} fails on the next ${next(count, 'message')}, with 500 and an MPL id.`;
    }
    const fault =
      status === '429'
        ? tooManyRequests({ retryAfterSeconds: 1 })
        : status === '503'
          ? serviceUnavailable({ retryAfterSeconds: 1 })
          : nginxPage(500, 'Internal Server Error');
    if (at === 'runtime-node') runtimeNode.server.fail({ fault, times: count });
    else authorizationServer.failTokenRequests(fault, { times: count });
    return `The ${NAMES[at]} answers ${status} to the next ${next(count, 'request')}.`;
  }

  function cut({ system: at, how, times: count }: Pressed): string {
    const faults = { before: 'reset-before', after: 'reset-after', within: 'half-answer' } as const;
    servers[at].fail({ fault: faults[how as keyof typeof faults], times: count });
    return `The next ${next(count, 'connection')} to the ${NAMES[at]} will break ${WHEN[how]}.`;
  }

  function rotateSecret(to: LocalDestination, { store }: { readonly store: boolean }): void {
    if (landscape.account.client(to.clientId)?.clientSecret === undefined) {
      throw new FaultMistake(`destination: ${to.name} has a certificate, and no secret to rotate`);
    }
    to.rotateSecret({ store });
    if (store) unstored.delete(to.name);
    else unstored.add(to.name);
  }

  function storeSecret(to: LocalDestination): void {
    to.storeSecret();
    unstored.delete(to.name);
  }

  function expireTokens(): void {
    authorizationServer.expireAllTokens();
    tokensVoidAt = now();
  }

  /**
   * On Cloud Foundry the role is a scope of the token, and the relay asks for one new token per ten minutes after a 403.
   * Tokens without the role end here, so that it need not be waited for. A JWT can only end together with its signing
   * key, so all end.
   *
   * @returns what to say of the tokens; empty where none was ended
   */
  function giveRoles(given: readonly LocalDestination[]): string {
    const lacking = given.filter((one) => !one.hasRole());
    for (const one of lacking) one.assignRole();
    if (lacking.length === 0 || landscape.account.environment === 'neo') return '';
    expireTokens();
    return ' Every token from before has ended; in a real tenant it takes until the relay’s next token, ten minutes at most.';
  }

  async function healAll(): Promise<string> {
    for (const server of Object.values(servers)) {
      server.heal();
      if (!server.isListening) await server.start();
    }
    authorizationServer.healTokenRequests();
    for (const disturbance of disturbances.values()) Object.assign(disturbance, { refuse: 0, fail: 0 });
    const ofTokens = giveRoles(destinations);
    for (const one of destinations) {
      storeSecret(one);
      const csrfProtected = protectedAtFirst.get(one.name);
      if (one.flow.csrfProtected !== csrfProtected) setCsrf(one, csrfProtected);
    }
    const count = ledger.hidden.length;
    if (count === 0) return `Everything works again.${ofTokens}`;
    return `Everything works again.${ofTokens} Still hidden: ${count} ${plural(count, 'message')}. “Try hidden now” ends the wait.`;
  }

  /** Absent: as the sender adapter has it without the setting. */
  function setCsrf(one: LocalDestination, csrfProtected: boolean | undefined): void {
    const { sender = 'https' } = one.flow;
    one.redeployFlow({ csrfProtected: csrfProtected ?? (sender === 'https' || sender === 'odata') });
  }

  const buttons: readonly Button[] = [
    {
      name: 'rotate-signing-key',
      group: 'Credentials',
      title: 'Rotate signing key',
      effect: 'Every token that was issued so far is refused with 401 from now on.',
      fields: [],
      press: () => {
        authorizationServer.rotateSigningKey();
        tokensVoidAt = now();
        return 'The signing key is another one: every token issued before is refused.';
      },
    },
    {
      name: 'expire-tokens',
      group: 'Credentials',
      title: 'Expire all tokens',
      effect: 'The authorization server forgets every token, opaque ones too, before its time.',
      fields: [],
      press: () => {
        expireTokens();
        return 'Every token is expired, whatever its life was.';
      },
    },
    {
      name: 'take-role',
      group: 'Credentials',
      title: 'Take role away',
      effect: 'The client loses ESBMessaging.send: its calls are answered 403.',
      fields: [destination],
      press: ({ destination: to }) => {
        if (to.hasRole()) to.unassignRole();
        return `The client of ${to.name} has no role any more.`;
      },
    },
    {
      name: 'give-role',
      group: 'Credentials',
      title: 'Give role back',
      effect: 'The client has ESBMessaging.send again. On Cloud Foundry tokens without the role end, too.',
      fields: [destination],
      press: ({ destination: to }) => {
        const ofTokens = giveRoles([to]);
        return `The client of ${to.name} has its role.${ofTokens}`;
      },
    },
    {
      name: 'rotate-secret',
      group: 'Credentials',
      title: 'Rotate client’s secret',
      effect: 'The client gets a new secret, at SAP and in Secrets Manager.',
      fields: [destination],
      press: ({ destination: to }) => {
        rotateSecret(to, { store: true });
        return `${to.name} has a new secret, in Secrets Manager, too.`;
      },
    },
    {
      name: 'rotate-secret-at-sap',
      group: 'Credentials',
      title: 'Rotate it at SAP alone',
      effect: 'The client gets a new secret that Secrets Manager does not know: every token request is refused.',
      fields: [destination],
      press: ({ destination: to }) => {
        rotateSecret(to, { store: false });
        return `${to.name} has a new secret that Secrets Manager does not know.`;
      },
    },
    {
      name: 'store-secret',
      group: 'Credentials',
      title: 'Store secret',
      effect: 'Puts the secret that SAP has into Secrets Manager, as an operator does after a rotation.',
      fields: [destination],
      press: ({ destination: to }) => {
        storeSecret(to);
        return `Secrets Manager has the secret of ${to.name} as it is. After a refusal the relay waits before it reads it.`;
      },
    },
    ...(['runtime-node', 'authorization-server'] as const).flatMap((at): Button[] => [
      {
        name: `stop-${SHORT_NAMES[at]}`,
        group: 'Outages',
        title: `Stop ${NAMES[at]}`,
        effect: 'It refuses connections, and cuts the open ones.',
        fields: [],
        press: async () => {
          await servers[at].stop();
          return `The ${NAMES[at]} is stopped.`;
        },
      },
      {
        name: `start-${SHORT_NAMES[at]}`,
        group: 'Outages',
        title: `Start ${NAMES[at]}`,
        effect: 'It listens again at the same address.',
        fields: [],
        press: async () => {
          if (!servers[at].isListening) await servers[at].start();
          return `The ${NAMES[at]} is up.`;
        },
      },
    ]),
    {
      name: 'slow',
      group: 'Outages',
      title: 'Make slow',
      effect: 'Every answer comes so much later; 0 ms ends it.',
      fields: [system, { name: 'ms', least: 0, most: 120_000, usual: 2_000 }],
      press: ({ system: at, ms }) => {
        servers[at].slowDown(ms);
        return ms === 0 ? `The ${NAMES[at]} is as fast as ever.` : `The ${NAMES[at]} answers ${ms} ms later.`;
      },
    },
    {
      name: 'cut',
      group: 'Outages',
      title: 'Cut connections',
      effect:
        'The next connections break: before the call is handled, after it without an answer, or within the answer.',
      fields: [system, { name: 'how', choices: ['before', 'after', 'within'] }, times(1_000, 3)],
      press: cut,
    },
    {
      name: 'answer',
      group: 'Answers',
      title: 'Answer with an error',
      effect: 'The next requests get this status. 500 of the runtime node is the flow’s own, with an MPL id.',
      fields: [system, { name: 'status', choices: ['429', '503', '500'] }, times(1_000, 3), destination],
      press: answerNext,
    },
    {
      name: 'refuse-payload',
      group: 'Answers',
      title: 'Refuse payload',
      effect: 'The flow refuses the next messages for good: each becomes a dead letter with its reason.',
      fields: [destination, times(1_000, 1)],
      press: ({ destination: to, times: count }) => {
        disturb(to).refuse += count;
        return `The flow ${to.name} refuses the next ${next(count, 'message')}.`;
      },
    },
    {
      name: 'csrf-on',
      group: 'Answers',
      title: 'CSRF on',
      effect: 'The flow wants a CSRF token with each call; the sessions of before are gone.',
      fields: [destination],
      press: ({ destination: to }) => {
        if (to.flow.sender?.startsWith('soap'))
          throw new FaultMistake('destination: SAP’s SOAP senders have no CSRF protection');
        setCsrf(to, true);
        runtimeNode.dropCsrfSessions();
        return `The flow ${to.name} is CSRF-protected; every session has ended.`;
      },
    },
    {
      name: 'csrf-off',
      group: 'Answers',
      title: 'CSRF off',
      effect: 'The flow takes calls without a CSRF token.',
      fields: [destination],
      press: ({ destination: to }) => {
        setCsrf(to, false);
        return `The flow ${to.name} is not CSRF-protected.`;
      },
    },
    {
      name: 'heal',
      group: 'Mend',
      title: 'Mend everything',
      effect: 'Ends every fault: both servers are up and fast, roles and secrets are as they were.',
      fields: [],
      press: healAll,
    },
    {
      name: 'try-hidden-now',
      group: 'Mend',
      title: 'Try hidden now',
      effect: 'Ends the wait of every hidden message: the queues hand them out at once.',
      fields: [],
      press: () => {
        const { hidden } = ledger;
        for (const { destination: name, record } of hidden) {
          destinations.find((one) => one.name === name)?.queue.showNow(record);
        }
        const count = hidden.length;
        return count === 0
          ? 'No message is hidden.'
          : `The wait of ${count} hidden ${plural(count, 'message')} is over.`;
      },
    },
    {
      name: 'send-sample',
      group: 'Messages',
      title: 'Send samples',
      effect: 'Lays messages into the queue of a destination, such as legacy systems send.',
      fields: [destination, times(10_000, 10)],
      press: ({ destination: to, times: count }) => {
        for (let index = 0; index < count; index += 1) sendSample(to, sampleFor(to, index));
        return `Sent ${count} ${plural(count, 'message')} to the queue of ${to.name}.`;
      },
    },
    {
      name: 'knock',
      group: 'Messages',
      title: 'Knock as stranger',
      effect: 'Sends a webhook with a wrong password: the webhook says 401 and no more, this page says why.',
      fields: [destination],
      press: async ({ destination: to }) => {
        const { status } = await fetch(`${deployed.httpApi.url}/webhooks/${to.name}`, {
          method: 'POST',
          headers: { Authorization: `Basic ${Buffer.from('stranger:wrong').toString('base64')}` },
          body: '{"order":0}',
          signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
        });
        return `The webhook ${to.name} answered the stranger with ${status}.`;
      },
    },
    {
      name: 'replay-letters',
      group: 'Messages',
      title: 'Replay the letters',
      effect: 'Puts the dead letters back into their queue, by the very command that an operator uses.',
      fields: [destination],
      press: async ({ destination: to }) =>
        `The letters of ${to.name}: ${await replayLetters(to, landscape.endpoints, signal)}.`,
    },
  ];

  function active(): string[] {
    const found = Object.entries(servers).flatMap(([name, { isListening, delayMs, pendingFaults }]) => {
      const called = `The ${NAMES[name as System]}`;
      return [
        ...(isListening ? [] : [`${called} is stopped.`]),
        ...(delayMs > 0 ? [`${called} answers ${delayMs} ms later.`] : []),
        ...(pendingFaults > 0 ? [`${called} fails ${more(pendingFaults, 'time')}.`] : []),
      ];
    });
    const failing = authorizationServer.pendingTokenFailures;
    if (failing > 0) found.push(`The authorization server fails ${more(failing, 'token request')}.`);
    for (const { name, hasRole } of destinations) if (!hasRole()) found.push(`The client of ${name} has no role.`);
    for (const name of unstored) found.push(`Secrets Manager has an old secret of ${name}.`);
    for (const [name, { refuse, fail }] of disturbances) {
      if (refuse > 0) found.push(`The flow ${name} refuses ${more(refuse, 'message')}.`);
      if (fail > 0) found.push(`The flow ${name} fails on ${more(fail, 'message')}.`);
    }
    return found;
  }

  function read(button: Button, given: Readonly<Record<string, unknown>>): Pressed {
    const wanted = button.fields.map((field) => [field.name, readField(field, given[field.name], destinations)]);
    const unknown = Object.keys(given).find((name) => !button.fields.some((field) => field.name === name));
    if (unknown !== undefined) throw new FaultMistake(`${unknown}: ${button.name} has no such field`);
    return Object.fromEntries(wanted) as Pressed;
  }

  return {
    buttons: buttons.map(({ press: _, ...button }) => button),
    get active() {
      return active();
    },
    get tokensVoidAt() {
      return tokensVoidAt;
    },
    press: async (name, fields) => {
      const button = buttons.find((one) => one.name === name);
      if (button === undefined) {
        throw new FaultMistake(`there is no fault ${name}; there are: ${buttons.map((one) => one.name).join(', ')}`);
      }
      return button.press(read(button, fields));
    },
  };
}

const WHEN: Readonly<Record<string, string>> = {
  before: 'before the call is handled',
  after: 'after the call is handled, without an answer',
  within: 'in the middle of the answer',
};

/** `message`, or `3 messages`, behind "the next". */
function next(count: number, what: string): string {
  return count === 1 ? what : `${count} ${plural(count, what)}`;
}

function more(count: number, what: string): string {
  return `${count} more ${plural(count, what)}`;
}

function plural(count: number, what: string): string {
  return count === 1 ? what : `${what}s`;
}

/** For good, in the words of the sender adapter. */
function refusal(sender: string | undefined): FlowResult {
  if (sender?.startsWith('soap')) return { fault: 'client', text: 'refused by hand' };
  return { status: 422, headers: { 'Content-Type': 'text/plain' }, body: 'refused by hand' };
}

/** What is left out is the first choice, or the usual number. */
function readField(field: Field, given: unknown, destinations: readonly LocalDestination[]): unknown {
  if (field.name === 'destination') {
    const found = given === undefined ? destinations[0] : destinations.find(({ name }) => name === given);
    if (found === undefined)
      throw new FaultMistake(`destination: expected ${destinations.map(({ name }) => name).join(', ')}`);
    return found;
  }
  if ('choices' in field) {
    const choice = given === undefined ? field.choices[0] : field.choices.find((one) => one === String(given));
    if (choice === undefined) throw new FaultMistake(`${field.name}: expected ${field.choices.join(', ')}`);
    return choice;
  }
  const { name, least, most, usual } = field;
  const number = given === undefined ? usual : given;
  if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) return number;
  throw new FaultMistake(`${name}: expected a whole number from ${least} to ${most}`);
}

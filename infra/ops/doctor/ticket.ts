/**
 * What SAP asks for in an incident, of one destination, as plain text: affected tenant, flow, endpoint, times, ids, and what
 * was tried. What the doctor cannot know it leaves to be filled in, by name. A sender's mistake is no incident, and what is
 * for somebody else than the incident's cause has no place in it.
 *
 * @see SAP Help, "Troubleshooting: HTTP Error Catalog", section on opening an incident
 */
import type { Letter, Reason } from '../replay/letter.ts';
import { harmless, wrap } from '../replay/terminal.ts';
import type { DoctorCommand } from './arguments.ts';
import { RUNBOOK } from './findings.ts';
import type { SentMessage } from './groups/message.ts';
import type { SeenLetters } from './letters.ts';
import type { Line } from './line.ts';
import type { Examined } from './way.ts';

const COLUMNS = 80;
/** Of SAP Cloud Integration, and of OAuth on Cloud Foundry. */
const COMPONENTS = { flow: 'LOD-HCI-PI-OPS', authorization: 'BC-CP-CF-SEC-IAM' } as const;

/** @param now epoch milliseconds @returns where the sender is at fault, what to give to the sender in its place */
export function ticket(
  { service, stage }: DoctorCommand,
  examined: Examined | undefined,
  lines: readonly Line[],
  now: number,
): string[] {
  const { destination, credentials, url, sent, deadLetters: seen = { letters: [] } } = examined ?? {};
  // That nobody hears of a trouble is not the trouble.
  const findings = lines.filter(
    ({ id, result }) => (result === 'error' || result === 'warning') && !id.startsWith('alarms-'),
  );
  const worst = findings.find(({ result }) => result === 'error') ?? findings[0];
  if (worst?.actor === 'sender') {
    return noteForSender(destination?.name ?? '', { worst, seen, ...(sent === undefined ? {} : { sent }) });
  }
  const ofAuthorization = worst?.group === 'token' && credentials?.environment === 'cf';
  const ofDoctor = sent?.mplId === undefined ? [] : [`${sent.mplId}  sent by the doctor`, `  ${sent.messageId}`];
  const ids = [...ofDoctor, ...lettersOf(seen)];
  const related = lines.filter(({ actor }) => actor === undefined || worst === undefined || actor === worst.actor);
  const facts: readonly (readonly [string, string])[] = [
    ['Component', ofAuthorization ? COMPONENTS.authorization : COMPONENTS.flow],
    ['Subject', worst === undefined ? 'to be filled in' : `${worst.id}: ${worst.reason}`],
    ['Tenant', url?.host ?? 'to be filled in'],
    ['Environment', credentials === undefined ? 'to be filled in' : NAMES[credentials.environment]],
    ['Flow', `to be filled in: the one at ${url?.pathname ?? 'an unknown address'}`],
    ['Endpoint', url === undefined ? 'to be filled in' : `${destination?.method} ${url.origin}${url.pathname}`],
    ['Adapter', destination?.adapter ?? 'to be filled in'],
    ['Token URL', credentials?.tokenUrl ?? 'to be filled in'],
    ['OAuth client', credentials?.clientId ?? 'to be filled in'],
    ['Sender', `${service}-${stage}-queue on AWS Lambda, destination ${destination?.name ?? 'to be filled in'}`],
    ['Checked at', new Date(now).toISOString()],
    ['Happens since', 'to be filled in'],
  ];
  return [
    ...(worst?.id === 'token-refused' ? [...wrap(CHECK_SECRET, COLUMNS), ''] : []),
    ...facts.flatMap(([name, value]) => fact(name, value)),
    '',
    'MPL ids, with time (UTC) and message id:',
    ...(ids.length === 0 ? ['  none known here'] : ids.map((id) => `  ${harmless(id)}`)),
    '',
    'What was tried, from the sender and outside of Cloud Integration:',
    ...related.flatMap(tried),
  ];
}

const CHECK_SECRET =
  "Before you send this, check first that the secret in Secrets Manager is the client's current one: a secret that was " +
  `rotated at SAP and not stored is our own mistake, and no incident (${RUNBOOK}#token-refused).`;

const NAMES = { neo: 'Neo', cf: 'Cloud Foundry' } as const;

function fact(name: string, value: string): string[] {
  return wrap(harmless(value), COLUMNS - 15).map((words, index) => (index === 0 ? `${name}:` : '').padEnd(15) + words);
}

function tried({ group, result, reason }: Line): string[] {
  if (result === 'not-checked') return [];
  const [first = '', ...rest] = wrap(`${group}: ${reason}`, COLUMNS - 10);
  return [
    `  ${result === 'ok' ? 'fine' : 'FAILED'}`.padEnd(10) + first,
    ...rest.map((words) => ' '.repeat(10) + words),
  ];
}

function lettersOf({ letters, hindered }: SeenLetters): string[] {
  if (hindered !== undefined) return [`dead letters not looked at: ${hindered}`];
  // What the flow refuses for good is a matter of whoever sends it.
  const ours = letters.filter(({ outcome }) => outcome !== 'rejected');
  return ours.flatMap((letter) => {
    const { mplId = 'no MPL id' } = saidOf(letter);
    return [`${mplId}  ${timeOf(letter)}  ${statusOf(letter)}`, `  ${letter.messageId}`];
  });
}

/** A payload that its flow refuses is for who sends it to correct: what that team needs, and no incident. */
function noteForSender(
  destination: string,
  { worst, sent, seen }: { readonly worst: Line; readonly sent?: SentMessage; readonly seen: SeenLetters },
): string[] {
  const refused = seen.letters.filter(({ outcome }) => outcome === 'rejected');
  const rows = [
    ...(sent === undefined ? [] : [`${sent.messageId}, sent by the doctor`]),
    ...refused.flatMap((letter) => [letter.messageId, `  ${timeOf(letter)}  ${statusOf(letter)}`]),
  ];
  const words = [
    'No incident: this is no matter for SAP. The flow works and refuses what it is sent, for good, so ' +
      'whoever sends it must correct it. The other messages go on.',
    '',
    `Give this to whoever sends to ${destination}:`,
    '',
    ...fact('Subject', `${worst.id}: ${worst.reason}`),
    '',
    'Messages, with time (UTC) and status:',
    ...(rows.length === 0 ? ['  none known here'] : rows.map((row) => `  ${harmless(row)}`)),
  ];
  const commands = worst.commands?.slice(-1) ?? [];
  return [
    ...words.flatMap((line) => wrap(line, COLUMNS)),
    ...(commands.length === 0 ? [] : ['', 'The newest in full; with --body its payload, too:']),
    ...commands.map((command) => `  ${command}`),
  ];
}

function saidOf({ reason }: Letter): Reason {
  return reason === undefined || reason === 'unreadable' ? {} : reason;
}

function timeOf({ deadAt }: Letter): string {
  return new Date(deadAt).toISOString();
}

function statusOf(letter: Letter): number | string {
  return saidOf(letter).status ?? '-';
}

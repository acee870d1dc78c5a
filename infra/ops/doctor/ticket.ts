/**
 * What SAP asks for in an incident, of one destination, as plain text: affected tenant, flow, endpoint, times, ids, and what
 * was tried. What the doctor cannot know it leaves to be filled in, by name.
 *
 * @see SAP Help, "Troubleshooting: HTTP Error Catalog", section on opening an incident
 */
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { isRecord, parseJson } from '../../../functions/untrusted.ts';
import { harmless, wrap } from '../replay/terminal.ts';
import type { DoctorCommand } from './arguments.ts';
import { whyNot } from './clients.ts';
import type { Line } from './line.ts';
import type { Looking } from './looking.ts';
import type { Examined } from './way.ts';

const COLUMNS = 80;
/** Of SAP Cloud Integration, and of OAuth on Cloud Foundry. */
const COMPONENTS = { flow: 'LOD-HCI-PI-OPS', authorization: 'BC-CP-CF-SEC-IAM' } as const;

export async function ticket(
  { service, stage }: DoctorCommand,
  examined: Examined | undefined,
  lines: readonly Line[],
  looking: Looking,
): Promise<string[]> {
  const { destination, credentials, url, sent, deadLetterQueueUrl } = examined ?? {};
  const findings = lines.filter(({ result }) => result === 'error' || result === 'warning');
  const worst = findings.find(({ result }) => result === 'error') ?? findings[0];
  const letters = deadLetterQueueUrl === undefined ? [] : await lettersIn(deadLetterQueueUrl, looking);
  const ofAuthorization = worst?.group === 'token' && credentials?.environment === 'cf';
  const ofDoctor = sent?.mplId === undefined ? [] : [`${sent.mplId}  sent by the doctor`, `  ${sent.messageId}`];
  const ids = [...ofDoctor, ...letters];
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
    ['Checked at', new Date(looking.now()).toISOString()],
    ['Happens since', 'to be filled in'],
  ];
  return [
    ...facts.flatMap(([name, value]) => fact(name, value)),
    '',
    'MPL ids, with time (UTC) and message id:',
    ...(ids.length === 0 ? ['  none known here'] : ids.map((id) => `  ${harmless(id)}`)),
    '',
    'What was tried, from the sender and outside of Cloud Integration:',
    ...lines.flatMap(tried),
  ];
}

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

/** The ids that dead letters have, of at most ten; their payloads are not looked at. They stay visible to others. */
async function lettersIn(QueueUrl: string, { clients, signal }: Looking): Promise<string[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: 10,
    VisibilityTimeout: 0,
    MessageAttributeNames: ['deadLetter'],
  });
  try {
    const { Messages = [] } = await clients.sqs.send(command, { abortSignal: signal });
    return Messages.flatMap(({ MessageAttributes = {} }) => {
      const reason = parseJson(MessageAttributes.deadLetter?.StringValue ?? '');
      if (!isRecord(reason)) return [];
      const { mplId = 'no MPL id', messageId, deadAt, status = '-' } = reason;
      return [`${mplId}  ${deadAt}  ${status}`, `  ${messageId}`];
    });
  } catch (error) {
    signal.throwIfAborted();
    return [`dead letters not looked at: ${whyNot(error, 'sqs:ReceiveMessage')}`];
  }
}

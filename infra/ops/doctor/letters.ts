/** Some of a dead-letter queue's letters, and what the newest says: why it is dead, who must act, and how one sees more. */
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { placeOptions } from '../place.ts';
import { writeDuration } from '../replay/duration.ts';
import { type Letter, letterOf } from '../replay/letter.ts';
import { readMessage } from '../replay/stored.ts';
import type { DoctorCommand } from './arguments.ts';
import { whyNot } from './clients.ts';
import { type Actor, FINDINGS } from './findings.ts';
import { finding, type Line } from './line.ts';
import type { Looking } from './looking.ts';

export interface SeenLetters {
  /** Of up to ten, the newest first. */
  readonly letters: readonly Letter[];
  /** Why none could be looked at, in words. */
  readonly hindered?: string;
}

/** Of a letter that the flow itself refused the sender must change something; what failed or was blocked was none of its fault. */
const ACTORS: Readonly<Record<string, Actor>> = { failed: 'flow-developer', blocked: 'sap-security', unknown: 'aws' };

/** Leaves them visible to others. Each counts as received once more, of which nothing follows in a dead-letter queue. */
export async function lookAtLetters(QueueUrl: string, { clients, signal }: Looking): Promise<SeenLetters> {
  const command = new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: 10,
    VisibilityTimeout: 0,
    MessageAttributeNames: ['All'],
    MessageSystemAttributeNames: ['All'],
  });
  try {
    const { Messages = [] } = await clients.sqs.send(command, { abortSignal: signal });
    const letters = Messages.map((message) => letterOf(readMessage(message)));
    return { letters: letters.sort((one, other) => other.deadAt - one.deadAt) };
  } catch (error) {
    signal.throwIfAborted();
    return { letters: [], hindered: whyNot(error, 'sqs:ReceiveMessage') };
  }
}

/** @param queue the dead-letter queue, by its name and URL */
export function lettersFinding(
  queue: { readonly name: string; readonly url: string; readonly letters: number },
  { letters, hindered }: SeenLetters,
  { destination, command, now }: { readonly destination: string; readonly command: DoctorCommand; now: () => number },
): Line {
  const { service, stage } = command;
  const derived = `${service}-${stage}-${destination}-dlq`;
  const isDerived = queue.name === derived || queue.name === `${derived}.fifo`;
  const where = isDerived
    ? `${placeOptions(command)} --destination ${destination}`
    : `--dead-letter-queue ${queue.url}`;
  const list = `npm run replay -- ${where}`;
  const [newest] = letters;
  const holds = `${queue.name} holds ${queue.letters}`;
  if (newest === undefined) {
    const why = hindered ?? 'none is handed out now, somebody else has them in hand';
    return { ...finding('dead-letters', `${holds}; not read: ${why}`), commands: [list] };
  }
  const { messageId, outcome, why, deadAt } = newest;
  const age = `${writeDuration(now() - deadAt)} ago`;
  return {
    ...finding('dead-letters', `${holds}; the newest, of ${age}, was ${outcome}: ${why}`),
    actor: ACTORS[outcome] ?? FINDINGS['dead-letters'].actor,
    // An id may be anything that a sender has written; what a shell would read otherwise is not printed as a command.
    commands: [list, ...(/^\w[\w.:-]{0,127}$/.test(messageId) ? [`${list} --show ${messageId}`] : [])],
  };
}

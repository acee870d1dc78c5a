/**
 * Puts one letter back: note in the journal, send, note, and only then delete. Whatever ends it in between, nothing is
 * lost; what may happen twice bears the same id, and on FIFO the same deduplication id.
 */
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Journal, JournalEntry } from './journal.ts';
import type { Letter } from './letter.ts';
import type { Restored, Restoring } from './restored.ts';
import type { Source } from './source.ts';

export interface PutBack {
  /** `before`: an earlier run had sent it, only its letter was still there. `held back`: it must wait for another. */
  readonly sent: 'now' | 'before' | 'held back' | 'failed';
  readonly deleted: boolean;
}

export interface PutBackOptions {
  readonly client: SQSClient;
  readonly source: Source;
  readonly journal: Journal;
  readonly as: JournalEntry['as'];
  readonly restore: Restoring;
  readonly randomId: () => string;
  /** Words for the operator; said before what they announce, since that may be the last that happens. */
  readonly note: (letter: Letter, words: string) => void;
  /** Waits for its turn; called right before a send. */
  readonly pace: () => Promise<void>;
  /** Epoch ms. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

export interface PuttingBack {
  putBack(letter: Letter): Promise<PutBack>;
  /** Whether its message was put back by this run, and died after that: sent once more it would go round for ever. */
  hasDiedAgain(letter: Letter): boolean;
}

export function createPutBack(options: PutBackOptions): PuttingBack {
  const { client, source, journal, as, restore, randomId, note, pace, now, signal } = options;
  /** Where a send failed: what comes later must not overtake it. */
  const closedGroups = new Set<string>();
  /** By the message's id: when it was sent, in epoch ms. */
  const sentAt = new Map<string, number>();

  async function putBack(letter: Letter): Promise<PutBack> {
    const before = journal.find(letter.letterId, as);
    if (before?.event === 'sent') {
      note(letter, `an earlier run put it back at ${before.at}; it is only deleted now`);
      return { sent: 'before', deleted: await remove(letter) };
    }
    const group = `${letter.queueArn} ${letter.groupId}`;
    const message = restore(letter);
    if ('why' in message) {
      note(letter, `it cannot be put back: ${message.why}`);
      closedGroups.add(group);
      return { sent: 'failed', deleted: false };
    }
    const reason = waitReason(letter, message, group);
    if (reason !== undefined) {
      note(letter, reason);
      return { sent: 'held back', deleted: false };
    }
    await pace();
    if (signal.aborted) return { sent: 'held back', deleted: false };
    const startedAt = now();
    if (!(await send(letter, message, before))) {
      closedGroups.add(group);
      return { sent: 'failed', deleted: false };
    }
    sentAt.set(letter.messageId, startedAt);
    return { sent: 'now', deleted: await remove(letter) };
  }

  function waitReason({ messageId }: Letter, { fifo }: Restored, group: string): string | undefined {
    if (fifo && closedGroups.has(group)) return 'it waits for an earlier message of its group';
    if (as === 'message' && sentAt.has(messageId)) return 'a message with its id was put back by this run already';
    return undefined;
  }

  /** @returns whether SQS confirmed it */
  async function send(letter: Letter, message: Restored, before: JournalEntry | undefined): Promise<boolean> {
    if (!(await source.renew(letter))) {
      note(letter, 'it is not ours any more; run it again in 15 minutes');
      return false;
    }
    const { letterId, messageId } = letter;
    const { queueUrl, fifo, body, attributes, groupId } = message;
    const deduplicationId = fifo ? (before?.deduplicationId ?? randomId()) : undefined;
    const entry = { as, letterId, messageId, queueUrl, ...(deduplicationId === undefined ? {} : { deduplicationId }) };
    const write = (event: JournalEntry['event']) =>
      journal.write({ event, ...entry, at: new Date(now()).toISOString() });

    if (before !== undefined) note(letter, uncertain(before));
    write('sending');
    try {
      const command = new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: body,
        MessageAttributes: { ...attributes },
        MessageGroupId: groupId,
        MessageDeduplicationId: deduplicationId,
      });
      const { attempts = 1 } = (await client.send(command)).$metadata;
      // On FIFO the deduplication id has seen to it.
      if (attempts > 1 && !fifo)
        note(letter, `it took ${attempts} tries, and SQS may have taken more than one of them`);
    } catch (error) {
      if (isRefusal(error)) {
        note(letter, `SQS refused it: ${error.message}`);
        // What an earlier run may have sent is not undone by this no: its deduplication id must stay known.
        if (before === undefined) write('refused');
      } else {
        note(letter, `${nameOf(error)}: SQS may have taken it or not; a later run sends it again with the same id`);
      }
      return false;
    }
    write('sent');
    return true;
  }

  async function remove(letter: Letter): Promise<boolean> {
    try {
      await source.delete(letter);
      return true;
    } catch (error) {
      note(letter, `it was put back, but not deleted (${nameOf(error)}): a later run only deletes it`);
      return false;
    }
  }

  return {
    putBack,
    hasDiedAgain: ({ messageId, stored }) => {
      const before = as === 'message' ? sentAt.get(messageId) : undefined;
      return before !== undefined && Number(stored.Attributes.SentTimestamp) > before;
    },
  };
}

/** What a run that ended between a send and its note leaves behind, in words for the operator. */
export function uncertain({ at, deduplicationId }: JournalEntry): string {
  const begun = `an earlier run began to send it at ${at} and does not know whether SQS took it; it is sent again`;
  return deduplicationId === undefined
    ? `${begun} with the same id`
    : `${begun} with the same deduplication id: within five minutes SQS drops the second`;
}

/** SQS itself said no, and to the first try: a no to a repeated one says nothing about those before. */
function isRefusal(error: unknown): error is Error {
  if (!(error instanceof Error) || !('$metadata' in error)) return false;
  const { httpStatusCode = 0, attempts = 1 } = error.$metadata as { httpStatusCode?: number; attempts?: number };
  return httpStatusCode >= 400 && httpStatusCode < 500 && attempts === 1;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown error';
}

/**
 * Messages whose attributes say what is not so: each is its sender's to correct, and troubles none of its neighbours.
 */
import { describe, expect, test } from 'vitest';
import type { RelayError } from '../../functions/error.ts';
import { fromRecord } from '../../functions/message/queued.ts';
import { readBatch } from '../../functions/queue/event.ts';
import { recordWith } from './sqs-event.ts';

describe('A message that cannot be read', () => {
  const HEADERS = 'expected a JSON object from header names to texts';

  test.each<[string, Record<string, string>, string]>([
    ['bodyEncoding', { bodyEncoding: 'gzip' }, 'expected base64 or empty'],
    ['bodyEncoding', { bodyEncoding: '' }, 'expected base64 or empty'],
    ['bodyEncoding', { bodyEncoding: 'BASE64' }, 'expected base64 or empty'],
    ['bodyEncoding', { bodyEncoding: 'base64' }, 'is base64, but the body is not'],
    ['headers', { headers: 'hunter22' }, HEADERS],
    ['headers', { headers: '' }, HEADERS],
    ['headers', { headers: '["hunter22"]' }, HEADERS],
    ['headers', { headers: 'null' }, HEADERS],
    ['headers', { headers: '"hunter22"' }, HEADERS],
    ['headers', { headers: '{"x-id":4711}' }, HEADERS],
    ['headers', { headers: '{"x-id":["hunter22"]}' }, HEADERS],
  ])('a message is rejected because of %s %j, and its neighbours are not affected', (name, attributes, problem) => {
    const bad = recordWith('hunter22!', { messageId: 'kept', ...attributes });
    const [queued, neighbour] = readBatch({ Records: [bad, recordWith('{}')] });
    expect(queued).toMatchObject({
      messageId: 'kept',
      recordId: bad.messageId,
      message: { code: 'MESSAGE_INVALID', executed: 'no' },
    });
    const { message, stack } = (queued as { message: RelayError }).message;
    expect(message).toBe(`message attribute "${name}": ${problem}; the sender must correct it`);
    expect(stack).not.toContain('hunter22');
    expect(neighbour?.message).toMatchObject({ headers: {} });
  });

  test.each(['AP+A/w', 'AP+A_w==', 'AP+A/w==\n', '=', 'A===', '-'])(
    'a message is rejected because %j is no base64',
    (body) => {
      expect(fromRecord(recordWith(body, { bodyEncoding: 'base64' })).message).toMatchObject({
        code: 'MESSAGE_INVALID',
      });
    },
  );
});

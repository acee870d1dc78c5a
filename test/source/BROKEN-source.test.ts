/** What the sources do not hold to yet; each test says what is expected, and fails. */
import { describe, expect, test } from 'vitest';
import { outcomeOfAnswer } from '../../functions/relay/outcome.ts';
import { directReply } from '../../functions/source/direct.ts';
import { readHttpEvent, toReply } from '../../functions/source/http.ts';
import { messageIdOf } from '../../functions/source/message-id.ts';
import { answer } from '../relay/http-answer.ts';
import { webhookEvent } from './aws-http-events.ts';
import { basicOf, hangDoor, joe, statusOf, unavailable } from './door.ts';

test('A header named like something that every object has is read as it came', () => {
  // `joined[key]` finds Object.prototype.constructor, and joins its source text to the value.
  expect(readHttpEvent(webhookEvent({ headers: { constructor: 'value' } }))?.headers.constructor).toBe('value');
});

test.each(['application/json; charset="utf-8"', 'text/xml;charset="UTF-8"'])(
  'UTF-8 of the type %s goes as text',
  (type) => {
    // RFC 9110 section 5.6.6: a parameter's value may be quoted. The optional quote in the pattern is given back.
    const reply = toReply({ status: 200, headers: { 'Content-Type': type }, body: Buffer.from('{}') }, undefined);
    expect(reply).toMatchObject({ body: '{}', isBase64Encoded: false });
  },
);

test.each([['*'], ['content-*'], ['content-encoding'], ['content-language']])(
  'No header of a reply is there twice in another spelling, where returnHeaders is %s',
  (pattern) => {
    const headers = { 'content-type': 'text/xml', 'content-encoding': 'gzip', 'content-language': 'de' };
    const { webhook } = hangDoor({ returnHeaders: [pattern] }).door;
    const reply = directReply(outcomeOfAnswer(answer(200, 'x', headers)), webhook);
    const names = Object.keys(reply.headers).map((name) => name.toLowerCase());
    expect(names).toEqual([...new Set(names)]);
  },
);

test('Two messages with different numbers for an id have different ids', () => {
  const idOf = (number: string) => {
    const body = Buffer.from(`{"id":${number}}`);
    return messageIdOf({ method: 'POST', path: '/', headers: {}, body, multiValue: false }, '/id');
  };
  // On FIFO the second would be dropped as a duplicate of the first.
  expect(idOf('12345678901234567890')).not.toBe(idOf('12345678901234567891'));
});

describe('While Secrets Manager is down, a stranger', () => {
  const wrong = { headers: { authorization: basicOf({ ...joe, password: 'wrong' }) } };

  test('does not shut the door on those who were let in before', async () => {
    const hung = hangDoor();
    expect(statusOf(await hung.admit())).toBeUndefined();
    hung.secret = unavailable();
    await hung.admit(wrong);
    expect(statusOf(await hung.admit())).toBeUndefined();
  });

  test('does not make the secret be read more often than once in 30 s', async () => {
    const hung = hangDoor();
    await hung.admit();
    hung.secret = unavailable();
    for (let knock = 0; knock < 10; knock += 1) await hung.admit(wrong);
    expect(hung.readings.count).toBe(2);
  });
});

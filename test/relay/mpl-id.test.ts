/** SAP's id of the message processing log, where an answer names it: in a header, or in the text of an error. */
import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, test } from 'vitest';
import { outcomeOfAnswer } from '../../functions/relay/outcome.ts';
import { answer, EXCEPTION, MPL_ID } from '../doubles/answer.ts';

const OTHER = 'AGxxxxxxxxxxxxxxxxxxxxxxxxxx';

describe('The id is found', () => {
  test.each<[string, string, IncomingHttpHeaders]>([
    ['in the text of an exception', EXCEPTION, {}],
    ['behind a message of its own', `Order 4711 is unknown\nThe MPL ID for the failed message is : ${MPL_ID}`, {}],
    ['before a further line', `${EXCEPTION}\nFor more details please check tail log.`, {}],
    ['without a space before the colon', `MPL ID: ${MPL_ID}`, {}],
    ['right behind the colon', `MPL ID:${MPL_ID}.`, {}],
    [
      'among other words',
      `For error details check MPL ID ${MPL_ID} in message monitoring or use the URL https://x`,
      {},
    ],
    ['in HTML', `<html><body><h1>500</h1><p>${EXCEPTION}</p></body></html>`, {}],
    ['among bytes that are no UTF-8', `\u00ff ${EXCEPTION}`, {}],
    ['in the header', '', { sap_messageprocessinglogid: MPL_ID }],
    ['in the header, where flow and node both set it', '', { sap_messageprocessinglogid: `${MPL_ID}, ${MPL_ID}` }],
    ['in the header’s other spelling', '', { 'sap-messageprocessinglogid': MPL_ID }],
    ['in the header first', `MPL ID: ${OTHER}`, { sap_messageprocessinglogid: MPL_ID }],
    ['in the body, where the header holds none', EXCEPTION, { sap_messageprocessinglogid: 'none' }],
    ['in the body, where the header is a list', EXCEPTION, { sap_messageprocessinglogid: [OTHER] as never }],
  ])('an MPL id is found %s', (_, body, headers) => {
    expect(outcomeOfAnswer(answer(500, body, headers))).toMatchObject({ mplId: MPL_ID });
  });

  test.each([200, 202, 404, 413, 503])('an MPL id is found whatever the status, %i too', (status) => {
    expect(outcomeOfAnswer(answer(status, '', { sap_messageprocessinglogid: MPL_ID }))).toMatchObject({
      mplId: MPL_ID,
    });
  });
});

describe('No id is found', () => {
  test.each<[string, string, IncomingHttpHeaders]>([
    ['in an empty answer', '', {}],
    ['where there is only the word', 'MPL ID', {}],
    ['that is too short to be one', 'MPL ID: 4711', {}],
    ['that is too long to be one', `check MPL ID ${'A'.repeat(41)} in`, {}],
    ['that is a word', 'check MPL ID in message monitoring', {}],
    ['beyond a long text', `MPL ID ${'x'.repeat(61)}: ${MPL_ID}`, {}],
    ['in a correlation id', '', { 'x-correlationid': 'c0ffee00-0000-4000-8000-000000000000' }],
    ['in a header with spaces', '', { sap_messageprocessinglogid: `${MPL_ID} ${MPL_ID}` }],
    ['in a header that is too long', '', { sap_messageprocessinglogid: 'A'.repeat(41) }],
    ['in a header with a line break', '', { sap_messageprocessinglogid: `${MPL_ID}\nforged` }],
  ])('no MPL id is found %s', (_, body, headers) => {
    expect(outcomeOfAnswer(answer(500, body, headers))).not.toHaveProperty('mplId');
  });

  test.each([
    [9, true],
    [10, false],
  ])('no MPL id is found behind %i times the words without it: %s', (times, isFound) => {
    const judged = outcomeOfAnswer(answer(500, `${'MPL ID, '.repeat(times)}${EXCEPTION}`));
    expect('mplId' in judged).toBe(isFound);
  });
});

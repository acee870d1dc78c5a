/**
 * Mistakes in what a destination asks of its token, or of the certificate in its place: each gives exactly one line.
 */
import { orders } from './destination.ts';
import { describeMistakes, type Mistake, TEXT, whole } from './mistake.ts';

const SCOPES = 'expected scopes, separated by single spaces';
const AUTHENTICATION = 'expected oauth or certificate';
const TOKEN_USE = whole('seconds', 60, 86_400);

const mistakes: readonly Mistake[] = [
  ['an unknown token format', { ...orders, tokenFormat: 'jwtrfc' }, 'orders.tokenFormat: expected jwt or opaque'],
  ['no scope in the scope', { ...orders, scope: '' }, `orders.scope: ${SCOPES}`],
  ['two spaces between scopes', { ...orders, scope: 'hunter.read  hunter.send' }, `orders.scope: ${SCOPES}`],
  ['a space behind the last scope', { ...orders, scope: 'hunter.read ' }, `orders.scope: ${SCOPES}`],
  ['a quote in a scope', { ...orders, scope: 'hunter"read' }, `orders.scope: ${SCOPES}`],
  ['a backslash in a scope', { ...orders, scope: 'hunter\\read' }, `orders.scope: ${SCOPES}`],
  ['a scope beyond ASCII', { ...orders, scope: 'häusler' }, `orders.scope: ${SCOPES}`],
  ['a line break between scopes', { ...orders, scope: 'hunter\nread' }, `orders.scope: ${SCOPES}`],
  ['scopes as a list', { ...orders, scope: ['hunter.read'] }, 'orders.scope: expected scopes, separated by spaces'],
  ['tokens of less than a minute', { ...orders, maxTokenUseSeconds: 59 }, `orders.maxTokenUseSeconds: ${TOKEN_USE}`],
  ['tokens of more than a day', { ...orders, maxTokenUseSeconds: 86_401 }, `orders.maxTokenUseSeconds: ${TOKEN_USE}`],
  [
    'tokens of half a second more',
    { ...orders, maxTokenUseSeconds: 4711.5 },
    `orders.maxTokenUseSeconds: ${TOKEN_USE}`,
  ],
  [
    'a token use as a text',
    { ...orders, maxTokenUseSeconds: '7199' },
    `orders.maxTokenUseSeconds: ${TOKEN_USE}${TEXT}`,
  ],
  [
    'an authentication that SAP’s sender adapters do not know',
    { ...orders, authentication: 'hunter22' },
    `orders.authentication: ${AUTHENTICATION}`,
  ],
  [
    'an authentication that is switched on',
    { ...orders, authentication: true },
    `orders.authentication: ${AUTHENTICATION}`,
  ],
];

describeMistakes('a destination’s token', mistakes);

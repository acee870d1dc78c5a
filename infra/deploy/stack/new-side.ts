/** What the new side of a cut-over takes over from the destination that may belong to the old tenant alone. */
import { isOfOneTenant } from '../../../functions/settings/destination.ts';
import { isRecord } from '../../../functions/untrusted.ts';
import type { Destination } from './destination.ts';

/** Of a header or a parameter that may prove who calls, such as the `apikey` of SAP API Management. */
const CREDENTIAL = /key|token|secret|auth|cookie|password/i;

/** @returns two lines in one text for each, and no value: it may be a key */
export function inheritedWarnings({ settings, written }: Pick<Destination, 'settings' | 'written'>): string[] {
  const { name, secret, url, cutover } = settings;
  if (cutover === undefined || isOfOneTenant(settings, cutover.newSide)) return [];
  const { newSide } = cutover;
  const own = isRecord(written.cutover) ? written.cutover : {};
  const host = newSide.url === undefined ? 'the host of its secret' : new URL(newSide.url).host;
  const isAtOldUrl = url !== undefined && newSide.url === url;
  const found: string[][] = [];
  if (newSide.secret === secret && newSide.url !== undefined) {
    found.push([': a url of its own, and no secret', `so the token of the old side is sent to ${host}`]);
  }
  if (newSide.secret !== secret && isAtOldUrl && !('url' in own)) {
    found.push([
      ': a secret of its own, and the url of the old side',
      'where a token of another tenant is refused; set cutover.url or cutover.path',
    ]);
  }
  for (const field of ['headers', 'query'] as const) {
    const names = field in own || isAtOldUrl ? [] : Object.keys(newSide[field]);
    const credentials = names.filter((one) => CREDENTIAL.test(one)).join(', ');
    if (credentials !== '') {
      found.push([
        `.${field}: ${credentials} of the old side is sent to the new one`,
        `at ${host}; set cutover.${field}, to {} for none`,
      ]);
    }
  }
  return found.map(([what, then]) => `${name}.cutover${what}\n  ${then}`);
}

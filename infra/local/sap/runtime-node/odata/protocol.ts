/**
 * What a request asks of the protocol before anything of its resource: another method than POST by a header, a version,
 * and system query options (OData V2, "Overview" and "URI Conventions"; in the words of Olingo 2.0.13).
 */
import type { Request } from '../../../server/server.ts';
import { ODataError } from './odata-error.ts';

const systemOptions = [
  '$format',
  '$filter',
  '$inlinecount',
  '$orderby',
  '$skiptoken',
  '$skip',
  '$top',
  '$expand',
  '$select',
];
const tunnelled = ['GET', 'POST', 'PUT', 'MERGE', 'PATCH', 'DELETE'];

/**
 * The method that is meant: a POST's `X-HTTP-Method` or `X-HTTP-Method-Override`. Throws an ODataError: 400 where they
 * differ, 501 for one that there is not.
 */
export function methodOf({ method, headers }: Request): string {
  const { 'x-http-method': first, 'x-http-method-override': second } = headers;
  if (method !== 'POST') return method;
  if (first !== undefined && second !== undefined && first !== second) {
    throw new ODataError(400, 'Ambiguous X-HTTP-Method and X-HTTP-Method-Override header.');
  }
  const meant = first ?? second ?? method;
  if (!tunnelled.includes(meant)) throw new ODataError(501, 'Not implemented');
  return meant;
}

/** Throws an ODataError, 400, for a version above 2.0, an option that there is not, or a number that is none. */
export function checkProtocol({ headers, query }: Request): void {
  const { dataserviceversion: version = '2.0' } = headers;
  if (!/^\d+\.\d+/.test(version)) {
    throw new ODataError(400, `The Data Services Request version '${version}' cannot be parsed.`);
  }
  if (Number.parseFloat(version) > 2) {
    throw new ODataError(
      400,
      `The Data Services Request version '${version}' is not supported for the request payload.`,
    );
  }
  const unknown = [...query.keys()].find((name) => name.startsWith('$') && !systemOptions.includes(name));
  if (unknown !== undefined) throw new ODataError(400, `Invalid system query option: '${unknown}'. `);
  for (const name of ['$top', '$skip']) {
    const value = query.get(name);
    if (value !== null && !/^\d+$/.test(value)) throw new ODataError(400, `Invalid value: '${value}'.`);
  }
}

/**
 * Resource paths of OData V2 (URI Conventions, section 3): what a path below the service's root names. Function
 * imports, navigation and compound keys are not among it.
 */
import { ODataError } from './odata-error.ts';

export type Resource =
  | { readonly kind: 'service-document' | 'metadata' | 'batch' }
  | { readonly kind: 'entity-set'; readonly entitySet: string }
  | { readonly kind: 'entity'; readonly entitySet: string; readonly key: string };

/**
 * `path` as sent, from the slash behind the service's root on, or empty; `keyNameOf` gives the name of a set's key, or
 * throws an ODataError. Throws an ODataError: 400 for a key that is none of the set's, 404 for anything else.
 */
export function readResourcePath(path: string, keyNameOf: (entitySet: string) => string): Resource {
  const name = decoded(path.replace(/^\//, ''));
  if (name === '') return { kind: 'service-document' };
  if (name === '$metadata') return { kind: 'metadata' };
  if (name === '$batch') return { kind: 'batch' };
  const [, entitySet, predicate] = /^(\w+)(?:\((.*)\))?$/s.exec(name) ?? [];
  if (entitySet === undefined) throw new ODataError(404, `Could not match segment: '${name}'.`);
  const keyName = keyNameOf(entitySet);
  if (predicate === undefined || predicate === '') return { kind: 'entity-set', entitySet };
  return { kind: 'entity', entitySet, key: readKey(predicate, keyName) };
}

/** The key is an Edm.String: `'7'`, or `OrderID='7'`. */
function readKey(predicate: string, keyName: string): string {
  const [, named, literal = predicate] = /^(\w+)=(.*)$/s.exec(predicate) ?? [];
  if (named !== undefined && named !== keyName) {
    throw new ODataError(400, `Invalid key predicate: '${predicate}'.`);
  }
  const [, key] = /^'((?:[^']|'')*)'$/s.exec(literal) ?? [];
  if (key !== undefined) return key.replaceAll("''", "'");
  throw /^-?\d+$/.test(literal)
    ? new ODataError(400, `Format of '${literal}' is not compatible with 'Edm.String'.`)
    : new ODataError(400, `Unknown literal: '[${literal}]'.`);
}

/** Below the service's root: `Orders('7')`, as a URL has it. */
export function entityPath(entitySet: string, key: string): string {
  return `${entitySet}('${encodeURIComponent(key.replaceAll("'", "''"))}')`;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new ODataError(400, 'The resource path is not percent-encoded as it must be.');
  }
}

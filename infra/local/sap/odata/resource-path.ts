/**
 * Resource paths of OData V2 (URI Conventions, section 3): what a path below the service's root names. Function imports,
 * navigation and compound keys are not among it.
 */
import { ODataError } from './odata-error.ts';

export type Resource =
  | { readonly kind: 'service-document' | 'metadata' | 'batch' }
  | { readonly kind: 'entity-set'; readonly entitySet: string }
  | { readonly kind: 'entity'; readonly entitySet: string; readonly keyName: string | undefined; readonly key: string };

/** `path` as sent, from the slash behind the service's root on, or empty. Throws an ODataError: 400, 404. */
export function readResourcePath(path: string): Resource {
  const name = decoded(path.replace(/^\//, ''));
  if (name === '') return { kind: 'service-document' };
  if (name === '$metadata') return { kind: 'metadata' };
  if (name === '$batch') return { kind: 'batch' };
  const match = /^(\w+)(?:\((?:(\w+)=)?'((?:[^']|'')*)'\))?$/.exec(name);
  const [, entitySet, keyName, key] = match ?? [];
  if (entitySet === undefined) throw new ODataError(404, `Could not find a resource for '${name}'.`);
  if (key === undefined) return { kind: 'entity-set', entitySet };
  return { kind: 'entity', entitySet, keyName, key: key.replaceAll("''", "'") };
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

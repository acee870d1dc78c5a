/**
 * Entities on the wire: JSON to who accepts it, else Atom (OData V2, JSON Format and AtomPub Format), and both read
 * from a request. It knows no entity sets beyond the name of the key.
 */
import type { Request } from '../../../server/server.ts';
import { mediaType } from '../media-type.ts';
import { decodeXml, escapeXml, parseXml, type XmlElement, XmlError } from '../xml.ts';
import type { EdmType, Entity, EntitySet } from './channel.ts';
import { fromJsonValue, fromText, malformed } from './edm.ts';
import { type Format, ODataError } from './odata-error.ts';

const atom = 'http://www.w3.org/2005/Atom';
const data = 'http://schemas.microsoft.com/ado/2007/08/dataservices';
const metadata = `${data}/metadata`;

/** An entity and the URL that it has. */
export interface Located {
  readonly entity: Entity;
  readonly url: string;
  readonly entitySet: string;
}

/** JSON where `$format` or `Accept` asks for it. */
export function formatFor({ headers, query }: Request): Format {
  if (query.get('$format') === 'json') return 'json';
  return (headers.accept ?? '').includes('json') ? 'json' : 'atom';
}

/** Content type and body of one entity, or of a set of them. */
export function represent(
  format: Format,
  entities: Located | readonly Located[],
): { readonly type: string; readonly body: string } {
  if (format === 'json') {
    const d = 'entity' in entities ? toJson(entities) : { results: entities.map(toJson) };
    return { type: 'application/json', body: JSON.stringify({ d }) };
  }
  const declaration = '<?xml version="1.0" encoding="utf-8"?>';
  const prefixes = `xmlns="${atom}" xmlns:d="${data}" xmlns:m="${metadata}"`;
  if ('entity' in entities) {
    return {
      type: 'application/atom+xml;type=entry;charset=utf-8',
      body: `${declaration}${toAtom(entities, ` ${prefixes}`)}`,
    };
  }
  const entries = entities.map((located) => toAtom(located, '')).join('');
  return {
    type: 'application/atom+xml;type=feed;charset=utf-8',
    body: `${declaration}<feed ${prefixes}>${entries}</feed>`,
  };
}

/**
 * The entity that a request carries for a set. Throws an ODataError: 400 for one that is not as the set's properties
 * are, and 415 for a content type of neither format.
 */
export function readEntity({ body, headers }: Request, entitySet: EntitySet): Entity {
  const contentType = headers['content-type'];
  const essence = mediaType(contentType)?.essence;
  if (essence === 'application/json') return fromJson(body, entitySet);
  if (['application/atom+xml', 'application/xml', 'text/xml'].includes(essence ?? ''))
    return fromAtom(body, contentType, entitySet);
  throw new ODataError(415, `Media type ${essence ?? 'application/octet-stream'} is not supported.`);
}

function toJson({ entity, url, entitySet }: Located): Entity {
  return { __metadata: { id: url, uri: url, type: `FLOW.${entitySet}` }, ...entity };
}

function toAtom({ entity, url }: Located, prefixes: string): string {
  const properties = Object.entries(entity).map(([name, value]) =>
    value === null ? `<d:${name} m:null="true"/>` : `<d:${name}>${escapeXml(atomText(value))}</d:${name}>`,
  );
  return `<entry${prefixes}><id>${escapeXml(url)}</id><content type="application/xml"><m:properties>${properties.join('')}</m:properties></content></entry>`;
}

function atomText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function fromJson(body: Buffer, entitySet: EntitySet): Entity {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    throw malformed();
  }
  const wrapped = isObject(parsed) && isObject(parsed.d) ? parsed.d : parsed;
  if (!isObject(wrapped)) throw malformed();
  const { __metadata: _metadata, ...entity } = wrapped;
  return readProperties(Object.entries(entity), entitySet, (type, value) => fromJsonValue(type, value));
}

function fromAtom(body: Buffer, contentType: string | undefined, entitySet: EntitySet): Entity {
  let entry: XmlElement;
  try {
    entry = parseXml(decodeXml(body, contentType));
  } catch (error) {
    if (error instanceof XmlError) throw malformed();
    throw error;
  }
  const content = entry.children.find(({ local, namespace }) => local === 'content' && namespace === atom);
  const properties = content?.children.find(({ local, namespace }) => local === 'properties' && namespace === metadata);
  if (properties === undefined) throw malformed();
  const texts = properties.children.map(({ local, text, attribute }): [string, string | null] => [
    local,
    attribute('null', metadata) === 'true' ? null : text,
  ]);
  return readProperties(texts, entitySet, (type, text) => (text === null ? null : fromText(type, text)));
}

/** Each by its type; in a set without types any property is taken as it is. */
function readProperties<Sent>(
  sent: readonly (readonly [string, Sent])[],
  { key, properties }: EntitySet,
  read: (type: EdmType, value: Sent) => unknown,
): Entity {
  const values = sent.map(([name, value]): [string, unknown] => {
    const type = name === key ? 'Edm.String' : properties?.[name];
    if (type !== undefined) return [name, read(type, value)];
    if (properties !== undefined) throw malformed();
    return [name, value];
  });
  return Object.fromEntries(values);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

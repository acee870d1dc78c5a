/**
 * What an OData service says of itself: the service document, which lists its entity sets, and `$metadata` in CSDL
 * (OData V2, "Service Metadata Document").
 */
import type { Answer } from '../../../server/server.ts';
import type { EntitySet } from './channel.ts';
import type { Format } from './odata-error.ts';

type Definitions = Readonly<Record<string, EntitySet>>;

const declaration = '<?xml version="1.0" encoding="utf-8"?>';

/** `root` is the service's URL, with a slash at the end. */
export function serviceDocument(format: Format, root: string, definitions: Definitions): Answer {
  const names = Object.keys(definitions);
  if (format === 'json') return answer('application/json', JSON.stringify({ d: { EntitySets: names } }));
  const title = (name: string): string => `<atom:title>${name}</atom:title>`;
  const collections = names.map((name) => `<collection href="${name}">${title(name)}</collection>`).join('');
  const xml = `${declaration}<service xmlns="http://www.w3.org/2007/app" xmlns:atom="http://www.w3.org/2005/Atom" xml:base="${root}"><workspace>${title('Default')}${collections}</workspace></service>`;
  return answer('application/atomsvc+xml', xml);
}

/** Each entity type is named as its set. */
export function metadataDocument(definitions: Definitions): Answer {
  const types = Object.entries(definitions).map(([name, { key, properties = {} }]) => {
    const others = Object.entries(properties).map(
      ([property, type]) => `<Property Name="${property}" Type="${type}"/>`,
    );
    return `<EntityType Name="${name}"><Key><PropertyRef Name="${key}"/></Key><Property Name="${key}" Type="Edm.String" Nullable="false"/>${others.join('')}</EntityType>`;
  });
  const sets = Object.keys(definitions).map((name) => `<EntitySet Name="${name}" EntityType="FLOW.${name}"/>`);
  const container = `<EntityContainer Name="Container" m:IsDefaultEntityContainer="true">${sets.join('')}</EntityContainer>`;
  const schema = `<Schema Namespace="FLOW" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">${types.join('')}${container}</Schema>`;
  const xml = `${declaration}<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><edmx:DataServices m:DataServiceVersion="2.0">${schema}</edmx:DataServices></edmx:Edmx>`;
  return answer('application/xml', xml);
}

function answer(type: string, body: string): Answer {
  return { status: 200, headers: { 'Content-Type': `${type};charset=utf-8`, DataServiceVersion: '2.0' }, body };
}

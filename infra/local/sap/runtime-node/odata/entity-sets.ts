/**
 * The entity sets of an OData flow, held in memory: what is created, read, changed and deleted there, with the
 * service's own rules of key and properties. How operations and entities look on the wire is for the other files of
 * this folder.
 */
import type { Entity, EntitySet, ODataChannel } from './channel.ts';
import { ODataError } from './odata-error.ts';

export interface EntitySets {
  readonly definitions: Readonly<Record<string, EntitySet>>;
  /** Throws an ODataError: 404 for a set that there is not. */
  definition(entitySet: string): EntitySet;
  /** Gives the entity, with a key where it had none. Throws an ODataError: 409 for a key that is there [assumed]. */
  create(entitySet: string, entity: Entity): Entity;
  /** Throws an ODataError: 404. */
  read(entitySet: string, key: string): Entity;
  /** All of the set, in the order in which they were created. */
  query(entitySet: string): readonly Entity[];
  /** PUT: what is not given is gone. Throws an ODataError: 404, 400 for another key. */
  update(entitySet: string, key: string, entity: Entity): void;
  /** MERGE and PATCH: what is not given stays. Throws as `update` does. */
  merge(entitySet: string, key: string, entity: Entity): void;
  /** Throws an ODataError: 404. */
  delete(entitySet: string, key: string): void;
}

/** Empty sets; `newKey` gives the key of an entity that comes without one. */
export function createEntitySets({ entitySets, anyEntitySet }: ODataChannel, newKey: () => string): EntitySets {
  const definitions = entitySets ?? (anyEntitySet === undefined ? { Orders: { key: 'OrderID' } } : {});
  const held = new Map(Object.keys(definitions).map((name) => [name, new Map<string, Entity>()]));

  function definition(entitySet: string): EntitySet {
    const found = definitions[entitySet] ?? anyEntitySet;
    if (found === undefined)
      throw new ODataError(404, `Could not find an entity set or function import for '${entitySet}'.`);
    return found;
  }

  function entitiesOf(entitySet: string): Map<string, Entity> {
    definition(entitySet);
    const entities = held.get(entitySet) ?? new Map<string, Entity>();
    held.set(entitySet, entities);
    return entities;
  }

  function existing(entitySet: string, key: string): Entity {
    const found = entitiesOf(entitySet).get(key);
    if (found === undefined) throw new ODataError(404, 'Requested entity could not be found.');
    return found;
  }

  function change(entitySet: string, key: string, entity: Entity, rest: Entity): void {
    const { key: keyName } = definition(entitySet);
    if (keyName in entity && entity[keyName] !== key)
      throw new ODataError(400, `The key of an entity cannot be changed.`);
    entitiesOf(entitySet).set(key, { ...rest, ...entity, [keyName]: key });
  }

  return {
    definitions,
    definition,
    create: (entitySet, entity) => {
      const { key: keyName } = definition(entitySet);
      const key = String(entity[keyName] ?? newKey());
      if (entitiesOf(entitySet).has(key))
        throw new ODataError(409, `The entity '${entitySet}('${key}')' exists already.`);
      const created = { ...entity, [keyName]: key };
      entitiesOf(entitySet).set(key, created);
      return created;
    },
    read: existing,
    query: (entitySet) => [...entitiesOf(entitySet).values()],
    update: (entitySet, key, entity) => {
      existing(entitySet, key);
      change(entitySet, key, entity, {});
    },
    merge: (entitySet, key, entity) => change(entitySet, key, entity, existing(entitySet, key)),
    delete: (entitySet, key) => {
      existing(entitySet, key);
      entitiesOf(entitySet).delete(key);
    },
  };
}

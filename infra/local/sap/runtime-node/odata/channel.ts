/**
 * The settings of a channel with the OData sender, and what that sender tells a flow of an operation. What it does with
 * both is for `sender.ts`.
 */

export interface ODataChannel {
  /** By name. Default: one set `Orders` with the key `OrderID`. */
  readonly entitySets?: Readonly<Record<string, EntitySet>>;
  /** What a set is like that is not named there. Default: there is none. */
  readonly anyEntitySet?: EntitySet;
}

export interface EntitySet {
  /** Name of the key property, which is an Edm.String. */
  readonly key: string;
  /**
   * Further properties with their EDM types; what is not listed, or of another type, is refused with 400. Default: any
   * property is taken, and none but the key is in `$metadata`.
   */
  readonly properties?: Readonly<Record<string, EdmType>>;
}

export type EdmType = 'Edm.String' | 'Edm.Int32' | 'Edm.Decimal' | 'Edm.Boolean' | 'Edm.DateTime';

/** An entity as it is held: JSON values by property. */
export type Entity = Readonly<Record<string, unknown>>;

/** One operation, alone or in a `$batch`. */
export interface ODataOperation {
  readonly kind: 'create' | 'read' | 'query' | 'update' | 'merge' | 'delete';
  readonly entitySet: string;
  /** Undefined for `create` and `query`. */
  readonly key: string | undefined;
  /** Whether it came in a `$batch`. */
  readonly batch: boolean;
}

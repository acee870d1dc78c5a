/**
 * EDM's primitive types as values of an entity: what JSON and Atom may hold for each (OData V2, "Primitive Types";
 * which of it Olingo 2.0.13 takes was seen). What a property is called and whether there is one is for
 * `representation.ts`.
 */
import type { EdmType } from './channel.ts';
import { ODataError } from './odata-error.ts';

/**
 * The value, as it came. Throws an ODataError: 400 for one of another type, 500 for a number that Int32 does not hold.
 */
export function fromJsonValue(type: EdmType, value: unknown): unknown {
  if (value === null) return value;
  if (type === 'Edm.Int32' && typeof value === 'number') {
    // Olingo's JSON reader throws an exception of its own here.
    if (value !== (value | 0)) throw new ODataError(500, `Expected an int but was ${value}`);
    return value;
  }
  const good: Readonly<Record<EdmType, boolean>> = {
    'Edm.String': typeof value === 'string',
    'Edm.Int32': false,
    'Edm.Decimal': typeof value === 'number' || (typeof value === 'string' && literals['Edm.Decimal'].test(value)),
    'Edm.Boolean': typeof value === 'boolean',
    'Edm.DateTime': typeof value === 'string' && /^\/Date\(-?\d+\)\/$/.test(value),
  };
  if (!good[type]) throw malformed();
  return value;
}

/** The value of an element's text, as JSON has it. Throws an ODataError, 400, for one of another type. */
export function fromText(type: EdmType, text: string): unknown {
  if (!literals[type].test(text)) throw malformed();
  if (type === 'Edm.Int32') return Number(text);
  if (type === 'Edm.Boolean') return text === 'true' || text === '1';
  return type === 'Edm.DateTime' ? `/Date(${Date.parse(`${text}Z`)})/` : text;
}

/** What Olingo says of whatever it cannot read, and nothing more. */
export function malformed(): ODataError {
  return new ODataError(400, 'The request body is malformed.');
}

const literals: Readonly<Record<EdmType, RegExp>> = {
  'Edm.String': /^/,
  'Edm.Int32': /^-?\d{1,10}$/,
  'Edm.Decimal': /^-?\d+(?:\.\d+)?$/,
  'Edm.Boolean': /^(?:true|false|0|1)$/,
  'Edm.DateTime': /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?$/,
};

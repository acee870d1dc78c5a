/** SAP's protocols identify messages by GUIDs: an id that is no GUID becomes one, the same each time. */
import { createHash } from 'node:crypto';

const GUID = /^(?:urn:)?(?:uuid:)?([\da-f]{8}-?[\da-f]{4}-?[\da-f]{4}-?[\da-f]{4}-?[\da-f]{12})$/i;
/** The namespace of our UUIDs. It must never change, since every id would change with it. */
const NAMESPACE = Buffer.from('6f9c8a52c5da4f6b9d0c2b9a5a6d7e31', 'hex');

/**
 * A GUID stays as it is, with or without dashes and in either case, without `uuid:` before it. Any other id becomes a
 * name-based UUID, version 5 (RFC 9562 section 5.5).
 */
export function guidOf(id: string): string {
  const [, guid] = GUID.exec(id) ?? [];
  if (guid !== undefined) return guid;
  const hash = createHash('sha1').update(NAMESPACE).update(id).digest().subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

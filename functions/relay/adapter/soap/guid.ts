/** GUIDs, which SAP's protocols name messages by: an id that is none becomes one, the same each time. */
import { createHash } from 'node:crypto';

const GUID = /^(?:urn:)?(?:uuid:)?([\da-f]{8}-?[\da-f]{4}-?[\da-f]{4}-?[\da-f]{4}-?[\da-f]{12})$/i;
/** The space of names that our GUIDs are made in; it never changes, since with it every id would. */
const NAMESPACE = Buffer.from('6f9c8a52c5da4f6b9d0c2b9a5a6d7e31', 'hex');

/**
 * A GUID as it is written, with or without dashes, in either case, without `uuid:` before it; of any other id the
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

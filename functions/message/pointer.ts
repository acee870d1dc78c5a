/** Where a payload lies that is too large for a queue, as the Amazon SQS Extended Client Library writes it down. */

/** An object in S3. */
export interface Pointer {
  readonly bucket: string;
  readonly key: string;
}

const CURRENT = 'software.amazon.payloadoffloading.PayloadS3Pointer';
/** What the library wrote before its version 2; read, never written. */
const FORMER = 'com.amazon.sqs.javamessaging.MessageS3Pointer';

/** The body of a message whose payload lies there. */
export function pointerBody({ bucket, key }: Pointer): string {
  return JSON.stringify([CURRENT, { s3BucketName: bucket, s3Key: key }]);
}

/** @param json a message's body, parsed. @returns undefined if it is no pointer */
export function readPointer(json: unknown): Pointer | undefined {
  const [name, at]: unknown[] = Array.isArray(json) ? json : [];
  if ((name !== CURRENT && name !== FORMER) || typeof at !== 'object' || at === null) return undefined;
  const { s3BucketName: bucket, s3Key: key } = at as Record<string, unknown>;
  return typeof bucket === 'string' && typeof key === 'string' && bucket !== '' && key !== ''
    ? { bucket, key }
    : undefined;
}

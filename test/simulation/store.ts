/** S3 in simulated time: objects by bucket and key, with the one rule that the relay relies on, `IfMatch`. */
import { AwsError, type JsonObject } from '../../infra/local/aws/aws-json.ts';

export interface Store {
  put(bucket: string, key: string, body: Uint8Array): void;
  /** Without `s3:ListBucket` nobody learns that an object is missing. */
  denyListing(on: boolean): void;
  /** An operation by its name in S3's API. @throws AwsError AccessDenied, NoSuchKey, NotFound, PreconditionFailed */
  call(operation: string, input: JsonObject): JsonObject;
}

export function createStore(): Store {
  const objects = new Map<string, { readonly body: Uint8Array; readonly etag: string }>();
  let versions = 0;
  let mayList = true;

  function put(bucket: string, key: string, body: Uint8Array): void {
    versions += 1;
    objects.set(`${bucket}/${key}`, { body, etag: `"${versions}"` });
  }

  return {
    put,
    denyListing: (on) => {
      mayList = !on;
    },
    call(operation, { Bucket, Key, IfMatch, Body }) {
      const found = objects.get(`${Bucket}/${Key}`);
      const isRead = operation === 'HeadObject' || operation === 'GetObject';
      if (isRead && found === undefined && !mayList) throw new AwsError('AccessDenied', 403, 'Access Denied');
      switch (operation) {
        case 'PutObject':
          put(String(Bucket), String(Key), Buffer.from(Body as Uint8Array));
          return {};
        case 'DeleteObject':
          objects.delete(`${Bucket}/${Key}`);
          return {};
        case 'HeadObject':
          if (found === undefined) throw new AwsError('NotFound', 404, 'UnknownError');
          return { ContentLength: found.body.byteLength, ETag: found.etag };
        default:
          if (found === undefined) throw new AwsError('NoSuchKey', 404, 'The specified key does not exist.');
          if (IfMatch !== undefined && IfMatch !== found.etag)
            throw new AwsError(
              'PreconditionFailed',
              412,
              'At least one of the pre-conditions you specified did not hold',
            );
          return { Body: found.body, ETag: found.etag };
      }
    },
  };
}

/** S3 in simulated time: objects by bucket and key, with the one rule that the relay relies on, `IfMatch`. */
import { AwsError, type JsonObject } from '../../infra/local/aws/aws-json.ts';

export interface Store {
  put(bucket: string, key: string, body: Uint8Array): void;
  /** An operation by its name in S3's API. @throws AwsError NoSuchKey, NotFound, PreconditionFailed */
  call(operation: string, input: JsonObject): JsonObject;
}

export function createStore(): Store {
  const objects = new Map<string, { readonly body: Uint8Array; readonly etag: string }>();
  let versions = 0;

  function put(bucket: string, key: string, body: Uint8Array): void {
    versions += 1;
    objects.set(`${bucket}/${key}`, { body, etag: `"${versions}"` });
  }

  return {
    put,
    call(operation, { Bucket, Key, IfMatch, Body }) {
      const found = objects.get(`${Bucket}/${Key}`);
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

/** S3 with one object of 40 MB in it, put there in parts, as the landscape's S3 takes no larger request. */
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { startS3 } from '../../infra/local/aws/s3.ts';

export interface StoredPayload {
  readonly url: string;
  readonly bucket: string;
  /** A message that points to it. */
  readonly payload: { readonly body: string; readonly attributes: object };
  stop(): Promise<void>;
}

const PART_BYTES = 10_485_760;
const PARTS = 4;

export async function storePayload(): Promise<StoredPayload> {
  const s3 = await startS3();
  const client = new S3Client({
    endpoint: s3.url,
    region: 'eu-central-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  });
  const at = { Bucket: 'payloads', Key: 'large' };
  await client.send(new CreateBucketCommand({ Bucket: at.Bucket }));
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
  const Parts = [];
  for (let PartNumber = 1; PartNumber <= PARTS; PartNumber += 1) {
    const part = new UploadPartCommand({ ...at, UploadId, PartNumber, Body: new Uint8Array(PART_BYTES) });
    const { ETag } = await client.send(part);
    Parts.push({ PartNumber, ETag });
  }
  await client.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }));
  client.destroy();
  const pointer = { s3BucketName: at.Bucket, s3Key: at.Key };
  return {
    url: s3.url,
    bucket: at.Bucket,
    payload: {
      body: JSON.stringify(['software.amazon.payloadoffloading.PayloadS3Pointer', pointer]),
      attributes: { ExtendedPayloadSize: { stringValue: String(PARTS * PART_BYTES), dataType: 'Number' } },
    },
    stop: s3.stop,
  };
}

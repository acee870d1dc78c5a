/**
 * The landscape's S3 with a front that counts what is asked of it and can be made to fail, and with a bucket that a
 * sender puts payloads into, as the Amazon SQS Extended Client does.
 */
import { randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { onTestFinished } from 'vitest';
import type { DestinationPlan } from '../../infra/local/landscape.ts';
import { type Answer, type LocalServer, type Request, startServer } from '../../infra/local/server/server.ts';
import { type Stage, type StageOptions, setStage } from './stage.ts';

export const BUCKET = 'payloads';
export const POINTER = 'software.amazon.payloadoffloading.PayloadS3Pointer';
export const OLD_POINTER = 'com.amazon.sqs.javamessaging.MessageS3Pointer';
const PART_BYTES = 10_485_760;

export interface PayloadStage extends Stage {
  readonly s3Server: LocalServer;
  /** Requests that the relay made, as `GET /payloads/key`. */
  readonly asked: string[];
  /** Told each of them when it comes in. */
  onAsked: (asked: string) => void;
  /** @returns what lies there */
  put(key: string, body?: Uint8Array): Promise<Uint8Array>;
  exists(key: string): Promise<boolean>;
  /** Sends a message whose payload lies in S3. @returns the id with which it must arrive */
  sendPointer(key: string, payload: Uint8Array, how?: { pointer?: string; attribute?: string; group?: string }): string;
}

/** Payloads are followed into `BUCKET` unless the plan's settings say otherwise. */
export async function setPayloadStage(
  plan: Partial<DestinationPlan> = {},
  staged: Partial<StageOptions> = {},
): Promise<PayloadStage> {
  const settings = { payloadBuckets: [BUCKET], ...plan.settings };
  const stage = await setStage({
    ...staged,
    plans: [{ name: 'orders', flow: { csrfProtected: false }, ...plan, settings }],
    s3: true,
  });
  const url = stage.endpoints.AWS_ENDPOINT_URL_S3;
  if (url === undefined) throw new Error('expected an S3');
  const asked: string[] = [];
  const s3Server = await startServer(async (request) => {
    const what = `${request.method} ${request.path}`;
    asked.push(what);
    payloadStage.onAsked(what);
    return passOn(url, request);
  });
  onTestFinished(() => s3Server.stop());
  await stage.deployed.queueFunction.updateEnvironment({
    ...stage.endpoints,
    AWS_ENDPOINT_URL_S3: s3Server.url,
    DESTINATIONS: JSON.stringify({ orders: stage.orders.settings }),
  });

  const client = new S3Client({
    endpoint: url,
    region: 'eu-central-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'synthetic', secretAccessKey: 'synthetic' },
  });
  onTestFinished(() => client.destroy());
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));

  const payloadStage: PayloadStage = {
    ...stage,
    s3Server,
    asked,
    onAsked: () => undefined,
    async put(key, body = randomBytes(300_000)) {
      await upload(client, key, body);
      return body;
    },
    exists: (key) =>
      client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key })).then(
        () => true,
        (error: Error) => {
          if (error.name === 'NotFound') return false;
          throw error;
        },
      ),
    sendPointer(key, payload, { pointer = POINTER, attribute = 'ExtendedPayloadSize', group } = {}) {
      return stage.send(stage.orders, {
        body: JSON.stringify([pointer, { s3BucketName: BUCKET, s3Key: key }]),
        payload,
        attributes: { [attribute]: String(payload.byteLength) },
        ...(group === undefined ? {} : { group }),
      });
    },
  };
  return payloadStage;
}

/** In parts, since the landscape's S3 takes no more than 11 MB at once. */
async function upload(client: S3Client, key: string, body: Uint8Array): Promise<void> {
  const at = { Bucket: BUCKET, Key: key };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
  const Parts: { ETag: string | undefined; PartNumber: number }[] = [];
  for (let start = 0; start < body.byteLength; start += PART_BYTES) {
    const PartNumber = Parts.length + 1;
    const Body = body.subarray(start, start + PART_BYTES);
    const { ETag } = await client.send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body }));
    Parts.push({ ETag, PartNumber });
  }
  await client.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }));
}

async function passOn(url: string, { method, target, headers, body }: Request): Promise<Answer> {
  const { host: _, connection: __, 'content-length': ___, 'transfer-encoding': ____, expect: _____, ...rest } = headers;
  const response = await fetch(`${url}${target}`, {
    method,
    headers: rest,
    ...(body.byteLength === 0 ? {} : { body: new Uint8Array(body) }),
  });
  const answered = new Uint8Array(await response.arrayBuffer());
  const kept = [...response.headers].filter(
    ([name]) => !['connection', 'keep-alive', 'transfer-encoding'].includes(name),
  );
  return { status: response.status, headers: Object.fromEntries(kept), body: answered };
}

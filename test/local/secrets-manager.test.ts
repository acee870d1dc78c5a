/** The local Secrets Manager, through the real SDK. */

import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  type GetSecretValueCommandInput,
  PutSecretValueCommand,
  type PutSecretValueCommandInput,
  RestoreSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type SecretsManager, startSecretsManager } from '../../infra/local/aws/secrets-manager/secrets-manager.ts';
import { createSimulatedTime, type SimulatedTime } from '../doubles/time.ts';

const start = Date.UTC(2026, 0, 1);
const day = 86_400_000;
const v1 = '11111111-1111-4111-8111-111111111111';
const v2 = '22222222-2222-4222-8222-222222222222';
let clock: SimulatedTime;
let local: SecretsManager;
let client: SecretsManagerClient;
let seen: string[];

beforeEach(async () => {
  clock = createSimulatedTime(start);
  seen = [];
  local = await startSecretsManager({ now: clock.now, confidential: (value) => seen.push(value) });
  client = new SecretsManagerClient({
    endpoint: local.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
});

afterEach(async () => {
  client.destroy();
  await local.server.stop();
});

const get = (SecretId: string, input: Partial<GetSecretValueCommandInput> = {}) =>
  client.send(new GetSecretValueCommand({ SecretId, ...input }));
const put = (input: Partial<PutSecretValueCommandInput>) =>
  client.send(new PutSecretValueCommand({ SecretId: 'relay', ...input }));
const describeSecret = () => client.send(new DescribeSecretCommand({ SecretId: 'relay' }));

async function stages(): Promise<Record<string, string[]>> {
  return (await describeSecret()).VersionIdsToStages ?? {};
}

async function currentValue(input: Partial<GetSecretValueCommandInput> = {}): Promise<string | undefined> {
  return (await get('relay', input)).SecretString;
}

test('a secret is read as it was put, text as it is and an object as JSON', async () => {
  const { arn, versionId } = local.put('team/relay', { clientId: 'id-12345', clientSecret: 's3cret!' });
  expect(arn).toMatch(/^arn:aws:secretsmanager:eu-central-1:123456789012:secret:team\/relay-[A-Za-z0-9]{6}$/);
  expect(await get('team/relay')).toMatchObject({
    ARN: arn,
    Name: 'team/relay',
    VersionId: versionId,
    SecretString: '{"clientId":"id-12345","clientSecret":"s3cret!"}',
    VersionStages: ['AWSCURRENT'],
    CreatedDate: new Date(start),
  });
  local.put('text', ' not JSON ');
  expect((await get('text')).SecretString).toBe(' not JSON ');
});

test('a binary secret is read as bytes', async () => {
  await client.send(new CreateSecretCommand({ Name: 'relay', SecretBinary: Uint8Array.of(0, 255) }));
  const read = await get('relay');
  expect([read.SecretBinary, read.SecretString]).toEqual([Uint8Array.of(0, 255), undefined]);
});

test('a secret is found by name, by complete ARN and by ARN without its suffix', async () => {
  const { arn } = local.put('relay', 'value');
  local.put('relay-other', 'other');
  for (const id of ['relay', arn, arn.slice(0, -7)]) expect((await get(id)).SecretString).toBe('value');
  for (const id of ['Relay', arn.slice(0, -3), arn.slice(-12), `${arn.slice(0, -6)}xxxxxx`]) {
    await expect(get(id)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: "Secrets Manager can't find the specified secret.",
    });
  }
});

test('a new value becomes current and the one before previous; older ones lose their label', async () => {
  local.put('relay', 'one');
  await expect(get('relay', { VersionStage: 'AWSPREVIOUS' })).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: "Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS",
  });
  const first = (await get('relay')).VersionId;
  await put({ SecretString: 'two' });
  expect([await currentValue(), await currentValue({ VersionStage: 'AWSPREVIOUS' })]).toEqual(['two', 'one']);
  local.put('relay', 'three');
  expect([await currentValue(), await currentValue({ VersionStage: 'AWSPREVIOUS' })]).toEqual(['three', 'two']);
  await expect(get('relay', { VersionId: first })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('a version with labels of its own leaves the current one, until the label is moved', async () => {
  await client.send(new CreateSecretCommand({ Name: 'relay', SecretString: 'one', ClientRequestToken: v1 }));
  const added = await put({ SecretString: 'two', ClientRequestToken: v2, VersionStages: ['AWSPENDING', 'MINE'] });
  expect(added).toMatchObject({ VersionId: v2, VersionStages: ['AWSPENDING', 'MINE'] });
  expect([
    await currentValue(),
    await currentValue({ VersionStage: 'MINE' }),
    await currentValue({ VersionId: v2 }),
  ]).toEqual(['one', 'two', 'two']);
  const move = (VersionStage: string, RemoveFromVersionId?: string, MoveToVersionId?: string) =>
    client.send(
      new UpdateSecretVersionStageCommand({ SecretId: 'relay', VersionStage, RemoveFromVersionId, MoveToVersionId }),
    );
  await expect(move('AWSCURRENT', undefined, v2)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  await expect(move('AWSCURRENT', v1)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  await move('AWSCURRENT', v1, v2);
  await move('MINE', v2);
  expect(await currentValue()).toBe('two');
  expect(await stages()).toEqual({ [v1]: ['AWSPREVIOUS'], [v2]: ['AWSCURRENT', 'AWSPENDING'] });
  // And back, as an operator does after a bad rotation.
  await move('AWSCURRENT', v2, v1);
  expect(await stages()).toEqual({ [v1]: ['AWSCURRENT'], [v2]: ['AWSPENDING', 'AWSPREVIOUS'] });
});

test('version and label must belong together', async () => {
  const { versionId: VersionId } = local.put('relay', 'one');
  expect(await currentValue({ VersionId, VersionStage: 'AWSCURRENT' })).toBe('one');
  await expect(get('relay', { VersionId, VersionStage: 'AWSPREVIOUS' })).rejects.toMatchObject({
    name: 'InvalidRequestException',
    message: 'You provided a VersionStage that is not associated to the provided VersionId.',
  });
});

test('a request token makes a put happen once, and is refused for another value', async () => {
  local.put('relay', 'one');
  const first = await put({ SecretString: 'two', ClientRequestToken: v1 });
  await put({ SecretString: 'three', ClientRequestToken: v2 });
  const again = await put({ SecretString: 'two', ClientRequestToken: v1 });
  expect(again.VersionId).toBe(first.VersionId);
  expect(await currentValue()).toBe('three');
  await expect(put({ SecretString: 'four', ClientRequestToken: v1 })).rejects.toMatchObject({
    name: 'ResourceExistsException',
  });
});

test('a secret that is marked for deletion is not read, until it is restored or gone', async () => {
  local.put('relay', 'one');
  const remove = (input = {}) => client.send(new DeleteSecretCommand({ SecretId: 'relay', ...input }));
  await expect(remove({ RecoveryWindowInDays: 6 })).rejects.toMatchObject({ name: 'InvalidParameterException' });
  expect((await remove({ RecoveryWindowInDays: 7 })).DeletionDate).toEqual(new Date(start + 7 * day));
  await expect(get('relay')).rejects.toMatchObject({
    name: 'InvalidRequestException',
    message: "You can't perform this operation on the secret because it was marked for deletion.",
  });
  await expect(client.send(new CreateSecretCommand({ Name: 'relay' }))).rejects.toMatchObject({
    name: 'InvalidRequestException',
  });
  expect((await describeSecret()).DeletedDate).toEqual(new Date(start + 7 * day));
  await client.send(new RestoreSecretCommand({ SecretId: 'relay' }));
  expect(await currentValue()).toBe('one');
  await remove();
  clock.moveTo(start + 30 * day);
  await expect(get('relay')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  local.put('relay', 'two');
  await remove({ ForceDeleteWithoutRecovery: true });
  await expect(get('relay')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

describe('trouble', () => {
  test.each<[string, (on: boolean) => void, string]>([
    ['no permission', (on) => local.denyAccess('relay', on), 'AccessDeniedException'],
    ['no key', (on) => local.disableKey('relay', on), 'DecryptionFailure'],
    ['too many requests', (on) => local.throttle(on), 'ThrottlingException'],
  ])('a trouble of Secrets Manager, %s, lasts until it is taken away', async (_name, set, name) => {
    local.put('relay', 'one');
    set(true);
    await expect(get('relay')).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
    set(false);
    expect(await currentValue()).toBe('one');
    expect(local.reads.map(({ status }) => status)).toEqual([400, 200]);
  });

  test('nobody learns without permission whether the secret exists', async () => {
    local.denyAccess('none', true);
    await expect(get('none')).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('is not authorized to perform: secretsmanager:GetSecretValue on resource: none'),
    });
  });

  test('the SDK tries again when it is throttled', async () => {
    local.put('relay', 'one');
    local.throttle(true);
    const patient = new SecretsManagerClient({
      endpoint: local.url,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    const read = patient.send(new GetSecretValueCommand({ SecretId: 'relay' }));
    await local.waitForReads(1);
    local.throttle(false);
    expect((await read).SecretString).toBe('one');
    patient.destroy();
  });
});

test('reads are recorded as they were asked for, and can be waited for', async () => {
  const { versionId } = local.put('relay', 'one');
  const twice = local.waitForReads(2);
  await get('relay', { VersionId: versionId, VersionStage: 'AWSCURRENT' });
  clock.advance(1000);
  await get('none').catch(() => undefined);
  await twice;
  expect(local.reads).toEqual([
    { at: start, secretId: 'relay', versionId, versionStage: 'AWSCURRENT', status: 200 },
    { at: start + 1000, secretId: 'none', status: 400 },
  ]);
  await expect(local.waitForReads(3, { timeoutMs: 10 })).rejects.toThrow(
    'waited 10 ms in vain: 3 readings of secrets, saw 2',
  );
});

test('values are announced as confidential, what stands in them too, but no URLs and ids', async () => {
  local.put('key', { oauth: { clientid: 'sb-client!b1', clientsecret: 'very secret', tokenurl: 'https://t.example' } });
  await client.send(new CreateSecretCommand({ Name: 'hook', SecretString: 'whsec_abcdef' }));
  await client.send(new CreateSecretCommand({ Name: 'binary', SecretBinary: Buffer.from('{"password":"in bytes"}') }));
  expect(seen).toEqual(expect.arrayContaining(['very secret', 'whsec_abcdef', 'in bytes']));
  expect(seen).not.toContain('https://t.example');
  expect(seen).not.toContain('sb-client!b1');
});

test.each([
  [{ Name: 'with space' }, 'ValidationException'],
  [{ Name: 'relay' }, 'ResourceExistsException'],
  [{ Name: 'both', SecretString: 'a', SecretBinary: Uint8Array.of(1) }, 'InvalidParameterException'],
])('a secret is not created with %j', async (input, name) => {
  local.put('relay', 'one');
  await expect(client.send(new CreateSecretCommand(input))).rejects.toMatchObject({ name });
});

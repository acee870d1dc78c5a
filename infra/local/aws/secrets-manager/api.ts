/**
 * Secrets Manager's operations from their input to their output, as the JSON protocol has them. HTTP is
 * `secrets-manager.ts`, what a secret holds is `secrets-manager/secret.ts`.
 *
 * @see AWS: Secrets Manager API Reference. Texts as recorded from AWS in localstack's snapshots, where they were found
 * there.
 */
import { AwsError, type JsonObject, readBoolean, readInteger, readString, readStrings } from '../aws-json.ts';
import { secretsError } from './error.ts';
import type { SecretValue } from './secret.ts';
import type { SecretsService } from './service.ts';

type Operation = (service: SecretsService, input: JsonObject) => JsonObject;

const DAY_MS = 86_400_000;
const NAME = /^[\w/+=.@!-]{1,512}$/;

const operations: Readonly<Record<string, Operation>> = {
  GetSecretValue: (service, input) => {
    const secret = service.find(required(input, 'SecretId'), 'GetSecretValue');
    const version = secret.version(readString(input, 'VersionId'), readString(input, 'VersionStage'));
    if (service.hasTrouble(secret.name, 'key disabled')) {
      const text = "Secrets Manager can't decrypt the protected secret text using the provided KMS key.";
      throw secretsError('DecryptionFailure', text);
    }
    return {
      ARN: secret.arn,
      Name: secret.name,
      VersionId: version.id,
      SecretString: version.value.string,
      SecretBinary: version.value.binary && Buffer.from(version.value.binary).toString('base64'),
      VersionStages: version.stages,
      CreatedDate: version.createdAt / 1000,
    };
  },

  CreateSecret: (service, input) => {
    const name = required(input, 'Name');
    checkName(service, name);
    const value = readValue(service, input);
    const { arn, put } = service.create(name);
    if (value === undefined) return { ARN: arn, Name: name };
    const { id } = put(readString(input, 'ClientRequestToken') ?? service.newId(), value, ['AWSCURRENT']);
    return { ARN: arn, Name: name, VersionId: id };
  },

  PutSecretValue: (service, input) => {
    const secret = service.find(required(input, 'SecretId'), 'PutSecretValue');
    const value = readValue(service, input);
    if (value === undefined) {
      throw secretsError('InvalidParameterException', 'You must provide either SecretString or SecretBinary.');
    }
    const wanted = readStrings(input, 'VersionStages');
    const id = readString(input, 'ClientRequestToken') ?? service.newId();
    const version = secret.put(id, value, wanted.length === 0 ? ['AWSCURRENT'] : wanted);
    return { ARN: secret.arn, Name: secret.name, VersionId: version.id, VersionStages: version.stages };
  },

  UpdateSecretVersionStage: (service, input) => {
    const secret = service.find(required(input, 'SecretId'), 'UpdateSecretVersionStage');
    const [from, to] = [readString(input, 'RemoveFromVersionId'), readString(input, 'MoveToVersionId')];
    secret.moveStage(required(input, 'VersionStage'), from, to);
    return { ARN: secret.arn, Name: secret.name };
  },

  DescribeSecret: (service, input) => {
    const { arn, name, createdAt, deletionAt, versions } = service.find(
      required(input, 'SecretId'),
      'DescribeSecret',
      true,
    );
    return {
      ARN: arn,
      Name: name,
      CreatedDate: createdAt / 1000,
      DeletedDate: deletionAt === undefined ? undefined : deletionAt / 1000,
      VersionIdsToStages: Object.fromEntries(versions.map(({ id, stages }) => [id, stages])),
    };
  },

  DeleteSecret: (service, input) => {
    const secret = service.find(required(input, 'SecretId'), 'DeleteSecret');
    const days = readInteger(input, 'RecoveryWindowInDays') ?? 30;
    if (days < 7 || days > 30) {
      const text = 'The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).';
      throw secretsError('InvalidParameterException', text);
    }
    const force = readBoolean(input, 'ForceDeleteWithoutRecovery') ?? false;
    const deletionAt = service.now() + (force ? 0 : days * DAY_MS);
    if (force) service.remove(secret.name);
    else secret.deletionAt = deletionAt;
    return { ARN: secret.arn, Name: secret.name, DeletionDate: deletionAt / 1000 };
  },

  RestoreSecret: (service, input) => {
    const secret = service.find(required(input, 'SecretId'), 'RestoreSecret', true);
    secret.deletionAt = undefined;
    return { ARN: secret.arn, Name: secret.name };
  },
};

/** @throws AwsError what the service answers with; UnknownOperationException for one that is not imitated */
export function callSecretsManager(service: SecretsService, operation: string, input: JsonObject): JsonObject {
  const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
  if (run === undefined) throw new AwsError('UnknownOperationException', 400, `${operation} is not imitated.`);
  return run(service, input);
}

function checkName(service: SecretsService, name: string): void {
  if (!NAME.test(name)) {
    const text = 'Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!';
    throw secretsError('ValidationException', `Invalid name. ${text}`);
  }
  const existing = service.lookUp(name);
  if (existing === undefined) return;
  if (existing.deletionAt === undefined) {
    throw secretsError('ResourceExistsException', `The operation failed because the secret ${name} already exists.`);
  }
  const text = "You can't create this secret because a secret with this name is already scheduled for deletion.";
  throw secretsError('InvalidRequestException', text);
}

function readValue(service: SecretsService, input: JsonObject): SecretValue | undefined {
  const string = readString(input, 'SecretString');
  const binary = readString(input, 'SecretBinary');
  if (string !== undefined && binary !== undefined) {
    const text = "You can't specify both a binary secret value and a string secret value in the same secret.";
    throw secretsError('InvalidParameterException', text);
  }
  if (string === undefined && binary === undefined) return undefined;
  const value = string === undefined ? { binary: Buffer.from(binary ?? '', 'base64') } : { string };
  service.announce(value);
  return value;
}

function required(input: JsonObject, name: string): string {
  const value = readString(input, name);
  if (value) return value;
  const field = name.charAt(0).toLowerCase() + name.slice(1);
  const text = `Value null at '${field}' failed to satisfy constraint: Member must not be null`;
  throw secretsError('ValidationException', `1 validation error detected: ${text}`);
}

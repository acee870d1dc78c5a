/**
 * One secret: its versions, and the staging labels that move between them. Which caller may see it is for
 * `secrets-manager.ts`.
 *
 * @see AWS: Secrets Manager API Reference "PutSecretValue", "UpdateSecretVersionStage", "GetSecretValue"; User Guide
 * "What's in a Secrets Manager secret?". Texts as recorded from AWS in localstack's snapshots, where they were found
 * there.
 */
import { secretsError } from './error.ts';

export interface SecretValue {
  readonly string?: string;
  readonly binary?: Uint8Array;
}

export interface SecretVersion {
  readonly id: string;
  readonly value: SecretValue;
  /** Epoch ms. */
  readonly createdAt: number;
  /** Sorted. */
  readonly stages: readonly string[];
}

export interface Secret {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  /** When it will be gone; undefined while it is not marked for deletion. */
  deletionAt: number | undefined;
  /** Those with a label: AWS removes versions without one some time later. */
  readonly versions: readonly SecretVersion[];
  /**
   * Adds a version and moves labels to it. The same id with the same value is accepted and changes nothing.
   * @throws AwsError ResourceExistsException for the same id with another value
   */
  put(id: string, value: SecretValue, stages: readonly string[]): SecretVersion;
  /** @throws AwsError InvalidParameterException, ResourceNotFoundException */
  moveStage(stage: string, from: string | undefined, to: string | undefined): void;
  /**
   * By id, by label, by both where they agree; default the label AWSCURRENT.
   * @throws AwsError ResourceNotFoundException, InvalidRequestException
   */
  version(id: string | undefined, stage: string | undefined): SecretVersion;
}

const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';

export function createSecret(name: string, arn: string, now: () => number): Secret {
  const versions = new Map<string, Omit<SecretVersion, 'stages'>>();
  /** Label to version id: a label is on one version only. */
  const stages = new Map<string, string>();

  function labelled(version: Omit<SecretVersion, 'stages'>): SecretVersion {
    const labels = [...stages].filter(([, holder]) => holder === version.id).map(([stage]) => stage);
    return { ...version, stages: labels.sort() };
  }

  function versionOf(id: string | undefined): SecretVersion | undefined {
    const version = versions.get(id ?? '');
    return version && labelled(version);
  }

  /** The version that loses AWSCURRENT gets AWSPREVIOUS. */
  function attach(stage: string, id: string): void {
    const holder = stages.get(stage);
    if (stage === CURRENT && holder !== undefined && holder !== id) stages.set(PREVIOUS, holder);
    stages.set(stage, id);
  }

  function put(id: string, value: SecretValue, wanted: readonly string[]): SecretVersion {
    const existing = versions.get(id);
    if (existing !== undefined && !isSame(existing.value, value)) {
      const text = `You can't use ClientRequestToken ${id} because that value is already in use for a version of secret ${arn}.`;
      throw secretsError('ResourceExistsException', text);
    }
    if (existing !== undefined) return labelled(existing);
    const version = { id, value, createdAt: now() };
    versions.set(id, version);
    // The first version is the current one, whatever was asked for.
    const labels = versions.size === 1 ? new Set([CURRENT, ...wanted]) : wanted;
    for (const stage of labels) attach(stage, id);
    return labelled(version);
  }

  function moveStage(stage: string, from: string | undefined, to: string | undefined): void {
    const holder = stages.get(stage);
    if (holder !== from && !(holder === undefined && from === undefined)) {
      const text =
        from === undefined
          ? `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder}, so you must explicitly reference that version in RemoveFromVersionId.`
          : `Invalid value for RemoveFromVersionId: staging label ${stage} is not attached to version ${from}.`;
      throw secretsError('InvalidParameterException', text);
    }
    if (to === undefined) {
      if (stage === CURRENT) {
        throw secretsError(
          'InvalidParameterException',
          `You can only move staging label ${CURRENT} to a different secret version. It can't be completely removed.`,
        );
      }
      stages.delete(stage);
      return;
    }
    if (!versions.has(to)) throw notFound(`secret version with version ID: ${to}`);
    attach(stage, to);
  }

  function version(id: string | undefined, stage: string | undefined): SecretVersion {
    if (id !== undefined) {
      const found = versionOf(id);
      if (found === undefined || found.stages.length === 0) throw notFound(`secret value for VersionId: ${id}`);
      if (stage === undefined || found.stages.includes(stage)) return found;
      const text = 'You provided a VersionStage that is not associated to the provided VersionId.';
      throw secretsError('InvalidRequestException', text);
    }
    const label = stage ?? CURRENT;
    const found = versionOf(stages.get(label));
    if (found === undefined) throw notFound(`secret value for staging label: ${label}`);
    return found;
  }

  return {
    name,
    arn,
    createdAt: now(),
    deletionAt: undefined,
    get versions() {
      return Array.from(versions.values(), labelled).filter(({ stages: labels }) => labels.length > 0);
    },
    put,
    moveStage,
    version,
  };
}

function notFound(what: string): Error {
  return secretsError('ResourceNotFoundException', `Secrets Manager can't find the specified ${what}`);
}

function isSame(a: SecretValue, b: SecretValue): boolean {
  return a.string === b.string && Buffer.from(a.binary ?? []).equals(Buffer.from(b.binary ?? []));
}

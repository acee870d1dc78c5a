/**
 * The errors of Secrets Manager with their HTTP status. When one is raised is for the files that check.
 *
 * @see AWS: Secrets Manager API Reference, "Common Errors" and the "Errors" of each action
 */
import { AwsError } from '../aws-json.ts';

export type SecretsErrorName =
  | 'AccessDeniedException'
  | 'DecryptionFailure'
  | 'InternalServiceError'
  | 'InvalidParameterException'
  | 'InvalidRequestException'
  | 'ResourceExistsException'
  | 'ResourceNotFoundException'
  | 'ThrottlingException'
  | 'ValidationException';

export function secretsError(name: SecretsErrorName, message: string): AwsError {
  return new AwsError(name, name === 'InternalServiceError' ? 500 : 400, message);
}

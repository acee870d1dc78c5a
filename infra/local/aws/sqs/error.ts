/**
 * The errors of SQS, each with its shape id, its code of the former XML protocol and its HTTP status. When one is
 * raised is for the files that check.
 *
 * @see AWS: Amazon SQS API Reference, "Common Errors" and the "Errors" of each action. Texts as recorded from AWS in
 * the snapshots of localstack's validated tests, where they were found there.
 */
import { AwsError } from '../aws-json.ts';

const sqs = 'com.amazonaws.sqs#';
const coral = 'com.amazon.coral.service#';
const legacy = 'AWS.SimpleQueueService.';

/** Name: shape id, legacy code, status. */
const errors = {
  AccessDenied: [`${coral}AccessDeniedException`, 'AccessDenied', 403],
  BatchEntryIdsNotDistinct: [`${sqs}BatchEntryIdsNotDistinct`, `${legacy}BatchEntryIdsNotDistinct`, 400],
  BatchRequestTooLong: [`${sqs}BatchRequestTooLong`, `${legacy}BatchRequestTooLong`, 400],
  EmptyBatchRequest: [`${sqs}EmptyBatchRequest`, `${legacy}EmptyBatchRequest`, 400],
  InvalidAttributeName: [`${sqs}InvalidAttributeName`, 'InvalidAttributeName', 400],
  InvalidAttributeValue: [`${sqs}InvalidAttributeValue`, 'InvalidAttributeValue', 400],
  InvalidBatchEntryId: [`${sqs}InvalidBatchEntryId`, `${legacy}InvalidBatchEntryId`, 400],
  InvalidMessageContents: [`${sqs}InvalidMessageContents`, 'InvalidMessageContents', 400],
  InvalidParameterValue: [`${coral}InvalidParameterValueException`, 'InvalidParameterValue', 400],
  MissingParameter: [`${coral}MissingRequiredParameterException`, 'MissingParameter', 400],
  OverLimit: [`${sqs}OverLimit`, 'OverLimit', 403],
  PurgeQueueInProgress: [`${sqs}PurgeQueueInProgress`, `${legacy}PurgeQueueInProgress`, 403],
  QueueDoesNotExist: [`${sqs}QueueDoesNotExist`, `${legacy}NonExistentQueue`, 400],
  QueueNameExists: [`${sqs}QueueNameExists`, 'QueueAlreadyExists', 400],
  ReceiptHandleIsInvalid: [`${sqs}ReceiptHandleIsInvalid`, 'ReceiptHandleIsInvalid', 404],
  TooManyEntriesInBatchRequest: [`${sqs}TooManyEntriesInBatchRequest`, `${legacy}TooManyEntriesInBatchRequest`, 400],
  UnsupportedOperation: [`${sqs}UnsupportedOperation`, `${legacy}UnsupportedOperation`, 400],
} as const;

export type SqsErrorName = keyof typeof errors;

export function sqsError(name: SqsErrorName, message: string): AwsError {
  const [type, code, status] = errors[name];
  return new AwsError(type, status, message, code);
}

/** `InvalidParameterValue` in the words that SQS has for it. */
export function invalidValue(parameter: string, value: string | number, reason: string): AwsError {
  return sqsError('InvalidParameterValue', `Value ${value} for parameter ${parameter} is invalid. Reason: ${reason}`);
}

/** @throws AwsError MissingParameter */
export function required<T>(parameter: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw sqsError('MissingParameter', `The request must contain the parameter ${parameter}.`);
}

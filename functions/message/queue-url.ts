/** The URL of a queue, which calls need. Settings have its ARN or its bare name, events have its ARN. A leaf. */

/** The host is the endpoint of its region, the path names account and queue. */
export function queueUrlOf(queueArn: string): string {
  const [, partition = 'aws', , region = '', account = '', name = ''] = queueArn.split(':');
  const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://sqs.${region}.${suffix}/${account}/${name}`;
}

/**
 * The URL of a queue by its ARN, or by its bare name, which is that of a queue in the function's own account and
 * region.
 *
 * @param functionArn `context.invokedFunctionArn`
 */
export function queueUrlFor(functionArn: string, queue: string): string {
  if (queue.startsWith('arn:')) return queueUrlOf(queue);
  const [, partition = 'aws', , region = '', account = ''] = functionArn.split(':');
  return queueUrlOf(['arn', partition, 'sqs', region, account, queue].join(':'));
}

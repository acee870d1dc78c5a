/** The names of a queue: settings tell its ARN or its bare name, events its ARN, calls want its URL. A leaf. */

/** Where a queue is called: with this, its region's endpoint is found, and the path names account and queue. */
export function queueUrlOf(queueArn: string): string {
  const [, partition = 'aws', , region = '', account = '', name = ''] = queueArn.split(':');
  const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://sqs.${region}.${suffix}/${account}/${name}`;
}

/**
 * The URL of a queue by its ARN, or by its bare name, which is that of a queue in the function's own account and region.
 *
 * @param functionArn `context.invokedFunctionArn`
 */
export function queueUrlBeside(functionArn: string, queue: string): string {
  if (queue.startsWith('arn:')) return queueUrlOf(queue);
  const [, partition = 'aws', , region = '', account = ''] = functionArn.split(':');
  return queueUrlOf(['arn', partition, 'sqs', region, account, queue].join(':'));
}

/** What tasks ask AWS for: one service, where it is served, and requests with the action that each needs. */
export interface CloudService {
  /** eventSource. */
  readonly source: string;
  /** Its endpoint: {region}, {bucket}. Recorded in us-east-1 where it has no region. */
  readonly host: string;
  readonly operations: readonly Operation[];
}

export interface Operation {
  readonly eventName: string;
  readonly action: string;
  readonly readOnly: boolean;
  /** Resource type whose data events have to be on. */
  readonly data?: string;
  /** ARN with {region}, {account}, {bucket}. */
  readonly resource?: { arn: string; type: string };
}

const read = (eventName: string, action: string, resource?: Operation['resource'], data?: string): Operation => ({
  eventName,
  action,
  readOnly: true,
  ...(resource === undefined ? {} : { resource }),
  ...(data === undefined ? {} : { data }),
});
const write = (...operation: Parameters<typeof read>): Operation => ({ ...read(...operation), readOnly: false });

const bucket = { arn: 'arn:aws:s3:::{bucket}', type: 'AWS::S3::Bucket' };
const object = { arn: 'arn:aws:s3:::{bucket}/runs/input.json', type: 'AWS::S3::Object' };
const table = { arn: 'arn:aws:dynamodb:{region}:{account}:table/jobs', type: 'AWS::DynamoDB::Table' };
const key = { arn: 'arn:aws:kms:{region}:{account}:key/5a1f7d0e-1111-4222-8333-944455556666', type: 'AWS::KMS::Key' };
const objects = 'AWS::S3::Object';
const items = 'AWS::DynamoDB::Table';

export const stsOperation = read('GetCallerIdentity', 'sts:GetCallerIdentity');

const s3Operations = [
  read('GetObject', 's3:GetObject', object, objects),
  write('PutObject', 's3:PutObject', object, objects),
  read('GetBucketLocation', 's3:GetBucketLocation', bucket),
  read('HeadObject', 's3:GetObject', object, objects),
];

export const cloudServices: readonly CloudService[] = [
  {
    source: 'route53.amazonaws.com',
    host: 'route53.amazonaws.com',
    operations: [
      read('ListResourceRecordSets', 'route53:ListResourceRecordSets'),
      read('GetHostedZone', 'route53:GetHostedZone'),
      write('ChangeResourceRecordSets', 'route53:ChangeResourceRecordSets'),
      read('ListHostedZones', 'route53:ListHostedZones'),
    ],
  },
  {
    source: 'iam.amazonaws.com',
    host: 'iam.amazonaws.com',
    operations: [read('GetRole', 'iam:GetRole'), read('ListRoles', 'iam:ListRoles')],
  },
  { source: 'sts.amazonaws.com', host: 'sts.amazonaws.com', operations: [stsOperation] },
  { source: 'sts.amazonaws.com', host: 'sts.{region}.amazonaws.com', operations: [stsOperation] },
  { source: 's3.amazonaws.com', host: '{bucket}.s3.{region}.amazonaws.com', operations: s3Operations },
  {
    source: 's3.amazonaws.com',
    host: 's3.{region}.amazonaws.com',
    operations: [...s3Operations, read('ListBuckets', 's3:ListAllMyBuckets')],
  },
  {
    source: 'dynamodb.amazonaws.com',
    host: 'dynamodb.{region}.amazonaws.com',
    operations: [
      read('GetItem', 'dynamodb:GetItem', table, items),
      write('PutItem', 'dynamodb:PutItem', table, items),
      read('DescribeTable', 'dynamodb:DescribeTable', table),
    ],
  },
  {
    source: 'ec2.amazonaws.com',
    host: 'ec2.{region}.amazonaws.com',
    operations: [read('DescribeInstances', 'ec2:DescribeInstances'), write('CreateTags', 'ec2:CreateTags')],
  },
  {
    source: 'secretsmanager.amazonaws.com',
    host: 'secretsmanager.{region}.amazonaws.com',
    operations: [
      read('GetSecretValue', 'secretsmanager:GetSecretValue'),
      read('DescribeSecret', 'secretsmanager:DescribeSecret'),
    ],
  },
  {
    source: 'ssm.amazonaws.com',
    host: 'ssm.{region}.amazonaws.com',
    operations: [read('GetParameter', 'ssm:GetParameter')],
  },
  {
    source: 'kms.amazonaws.com',
    host: 'kms.{region}.amazonaws.com',
    operations: [read('Decrypt', 'kms:Decrypt', key), read('GenerateDataKey', 'kms:GenerateDataKey', key)],
  },
  {
    source: 'lambda.amazonaws.com',
    host: 'lambda.{region}.amazonaws.com',
    operations: [
      read('ListFunctions20150331', 'lambda:ListFunctions'),
      read('GetFunction20150331v2', 'lambda:GetFunction'),
    ],
  },
  {
    source: 'ecr.amazonaws.com',
    host: 'api.ecr.{region}.amazonaws.com',
    operations: [
      read('DescribeRepositories', 'ecr:DescribeRepositories'),
      read('DescribeImages', 'ecr:DescribeImages'),
    ],
  },
  {
    source: 'monitoring.amazonaws.com',
    host: 'monitoring.{region}.amazonaws.com',
    operations: [read('DescribeAlarms', 'cloudwatch:DescribeAlarms')],
  },
];

/** Declared names that are no cloud's: no credential is used there. */
export const plainHosts = [
  'api.github.com',
  'mirror.example.org',
  'files.example.net',
  'packages.example.net',
  'api.openai.example',
  'models.inference.example',
  'git.corp.example',
] as const;

export const regions = ['us-east-1', 'eu-west-1', 'eu-central-1', 'us-west-2', 'ap-southeast-2'] as const;
export const buckets = ['acme-agent-runs', 'example-artifacts', 'build.cache-eu', 'team-data-7f'] as const;
export const userAgents = [
  'aws-cli/2.17.0',
  'Boto3/1.34.131',
  'aws-sdk-js/3.609.0',
  'aws-sdk-go-v2/1.30.1',
  'Terraform/1.9.2',
] as const;

#!/usr/bin/env bash
# A trail whose log is complete and can be proven so: all regions, global services, digest files, management events that read and
# write, and the data events of what agents use. Costs money: data events are billed by number.
#   BUCKET=example-cloudtrail TRAIL=tally REGION=us-east-1 ./trail.sh
# The bucket must exist with CloudTrail's bucket policy; give it Object Lock and versioning, so that no one can delete a digest.
set -euo pipefail
: "${BUCKET:?}" "${TRAIL:=tally}" "${REGION:=us-east-1}"

aws cloudtrail create-trail --region "$REGION" --name "$TRAIL" --s3-bucket-name "$BUCKET" \
  --is-multi-region-trail --include-global-service-events --enable-log-file-validation
# For a trail that exists:
#   aws cloudtrail update-trail --region "$REGION" --name "$TRAIL" \
#     --is-multi-region-trail --include-global-service-events --enable-log-file-validation

# A selector without the field readOnly takes both, one without resources.ARN takes every resource. Anything narrower leaves uses
# that no record shows, and the report unproven. Add a data selector for each service that a granted policy allows and that CloudTrail
# logs as data events; `tally doctor --task` names them.
aws cloudtrail put-event-selectors --region "$REGION" --trail-name "$TRAIL" --advanced-event-selectors '[
  { "Name": "management", "FieldSelectors": [{ "Field": "eventCategory", "Equals": ["Management"] }] },
  { "Name": "s3", "FieldSelectors": [
    { "Field": "eventCategory", "Equals": ["Data"] }, { "Field": "resources.type", "Equals": ["AWS::S3::Object"] }] },
  { "Name": "dynamodb", "FieldSelectors": [
    { "Field": "eventCategory", "Equals": ["Data"] }, { "Field": "resources.type", "Equals": ["AWS::DynamoDB::Table"] }] },
  { "Name": "lambda", "FieldSelectors": [
    { "Field": "eventCategory", "Equals": ["Data"] }, { "Field": "resources.type", "Equals": ["AWS::Lambda::Function"] }] }
]'

aws cloudtrail start-logging --region "$REGION" --name "$TRAIL"
# The first digest file comes within two hours; a task that began before it can't be proven.
aws cloudtrail get-trail-status --region "$REGION" --name "$TRAIL" \
  --query '{logging: IsLogging, digest: LatestDigestDeliveryTime}'

"""Makes a bucket, and a key that may use it: the first four things that are asked of the server, for which it wants no key."""

import json
import sys

import boto3

url, bucket = sys.argv[1:]
there = dict(endpoint_url=url, region_name="us-east-1", aws_access_key_id="nobody", aws_secret_access_key="nothing")
boto3.client("s3", **there).create_bucket(Bucket=bucket)
iam = boto3.client("iam", **there)
iam.create_user(UserName="site")
everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
policy = {"Version": "2012-10-17", "Statement": [everything]}
iam.put_user_policy(UserName="site", PolicyName="site", PolicyDocument=json.dumps(policy))
key = iam.create_access_key(UserName="site")["AccessKey"]
print(key["AccessKeyId"])
print(key["SecretAccessKey"])

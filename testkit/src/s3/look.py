"""Prints what is in a bucket, as its owner sees it: files with their sizes, and uploads that have not ended."""

import sys

import boto3

url, bucket, key, secret = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret)
for found in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
    print("file", found["Key"], found["Size"])
for found in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
    print("upload", found["Key"])

/** Stores that are known by name: docs/stores.md says where each of these comes from. */

export interface KnownStore {
  readonly id: string;
  readonly label: string;
  /** `{region}` is the region's name; undefined where everybody has an endpoint of their own. */
  readonly endpoint: string | undefined;
  /** What an endpoint of one's own looks like. */
  readonly example?: string;
  /** The usual one. */
  readonly region: string;
  readonly addressing: "virtual" | "path";
  /** What the names of its credentials' secrets begin with, so that those of several stores never mix. */
  readonly secretPrefix: string;
  /** Whether there are versions of it that take x-amz-* headers which nobody signed. */
  readonly isLax?: true;
}

export const KNOWN_STORES: readonly KnownStore[] = [
  {
    id: "coreweave",
    label: "CoreWeave AI Object Storage",
    endpoint: "https://cwobject.com",
    region: "US-EAST-04A",
    addressing: "virtual",
    secretPrefix: "CW",
  },
  {
    id: "aws",
    label: "AWS S3",
    endpoint: "https://s3.{region}.amazonaws.com",
    region: "us-east-1",
    addressing: "virtual",
    // Not AWS_: what other programs take from the environment by that name is not meant here.
    secretPrefix: "AWS_S3",
  },
  {
    id: "r2",
    label: "Cloudflare R2",
    endpoint: undefined,
    example: "https://ACCOUNT_ID.r2.cloudflarestorage.com",
    region: "auto",
    addressing: "path",
    secretPrefix: "R2",
  },
  {
    id: "minio",
    label: "MinIO",
    endpoint: undefined,
    example: "https://minio.example.com",
    region: "us-east-1",
    addressing: "path",
    secretPrefix: "MINIO",
    isLax: true,
  },
  {
    id: "ceph",
    label: "Ceph RGW",
    endpoint: undefined,
    example: "https://rgw.example.com",
    region: "us-east-1",
    addressing: "path",
    secretPrefix: "CEPH",
    isLax: true,
  },
  {
    id: "b2",
    label: "Backblaze B2",
    endpoint: "https://s3.{region}.backblazeb2.com",
    region: "us-west-004",
    addressing: "virtual",
    secretPrefix: "B2",
  },
  {
    id: "wasabi",
    label: "Wasabi",
    endpoint: "https://s3.{region}.wasabisys.com",
    region: "us-east-1",
    addressing: "virtual",
    secretPrefix: "WASABI",
  },
];

export function endpointOf({ endpoint }: KnownStore, region: string): string | undefined {
  return endpoint?.replace("{region}", region);
}

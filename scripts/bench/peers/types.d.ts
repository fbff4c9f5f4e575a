/** Of aws4, which has no types, what the benchmark uses. */
declare module "aws4" {
  interface Request {
    host: string;
    path: string;
    headers: Record<string, string>;
    region: string;
    service: string;
    method?: string;
    /** Without it the signature goes into a header. */
    signQuery?: boolean;
    /** Which it would leave unsigned, by name. */
    extraHeadersToInclude?: Readonly<Record<string, string>>;
  }
  const aws4: {
    sign(
      request: Request,
      credentials: { accessKeyId: string; secretAccessKey: string },
    ): { path: string; headers: Record<string, string> };
  };
  export default aws4;
}

/** The region of the gateway, of which a signature may say whatever it likes: the one that every client knows. */
export const DEFAULT_REGION = "us-east-1";

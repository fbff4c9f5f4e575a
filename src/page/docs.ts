/** The document of the API, to be read and tried out: Swagger UI, as it comes. */

/** Of the script before this one. */
declare const SwaggerUIBundle: (options: {
  readonly url: string;
  readonly dom_id: string;
  readonly deepLinking: boolean;
  readonly validatorUrl: null;
}) => unknown;

// It is nobody else's to say whether the document is sound.
SwaggerUIBundle({ url: "openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null });

/** The page that shows the API, and calls it as whoever is logged in. Swagger UI is a script of its own beside it. */

interface SwaggerRequest {
  url: string;
  headers: Record<string, string>;
}

interface SwaggerOptions {
  spec: unknown;
  domNode: HTMLElement;
  deepLinking: boolean;
  /** Where it would send the description to be checked; null: nowhere. */
  validatorUrl: null;
  docExpansion: "list" | "none";
  defaultModelsExpandDepth: number;
  requestInterceptor(request: SwaggerRequest): SwaggerRequest;
}

declare const SwaggerUIBundle: (options: SwaggerOptions) => unknown;

const place = document.getElementById("api") as HTMLElement;

function say(text: string): void {
  const notice = document.createElement("p");
  notice.className = "notice";
  const link = document.createElement("a");
  link.href = "/";
  link.textContent = "Steadycast";
  notice.append(`${text} `, link);
  place.replaceChildren(notice);
}

async function show(): Promise<void> {
  const answer = await fetch("/api/v1/openapi.json");
  if (!answer.ok) return say(answer.status === 401 ? "Log in first:" : `The box answered ${answer.status}.`);
  SwaggerUIBundle({
    spec: await answer.json(),
    domNode: place,
    deepLinking: true,
    validatorUrl: null,
    docExpansion: "none",
    defaultModelsExpandDepth: 0,
    requestInterceptor: (request) => {
      // Shows that a change comes from a page of the box (request forgery).
      request.headers["Steadycast-Request"] = "1";
      return request;
    },
  });
}

show().catch((error: unknown) => say(`The box could not be asked: ${String(error)}`));

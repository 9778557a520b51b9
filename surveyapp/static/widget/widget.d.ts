/** Types of the survey widget, for pages written in TypeScript. Nothing here runs. */

export interface Ask {
  journey: string;
  step: string;
  /** Your own id of the customer; counts only together with its signature. */
  customer?: string;
  /** HMAC-SHA256 of `customer` with your secret, in hex, made on your server. */
  signature?: string;
  /** What is asked about, where a customer can be here more than once: a booking, an order. */
  instance?: string;
  properties?: Record<string, string | number | boolean | null>;
  form?: "popover" | "inline" | "tab";
  /** Where the page is light or dark whatever the visitor prefers. */
  theme?: "light" | "dark";
}

export interface Outcome {
  shown: boolean;
  /** Why not: `gap`, `cap`, `already_asked`, `sampled_out`, `no_survey`, `not_now`, `refused`, `unreachable`, `blocked`, … */
  reason?: string;
}

export interface Answered {
  score: number;
  comment?: string;
}

export interface SurveyApp {
  ask(options: Ask): Promise<Outcome>;
  identify(customer: string, signature: string): void;
  on(what: "shown" | "refused", hear: (outcome: Outcome) => void): () => void;
  on(what: "answered", hear: (answer: Answered) => void): () => void;
  on(what: "dismissed", hear: () => void): () => void;
  close(): void;
}

declare global {
  interface Window {
    /** There once the event `surveyapp` was heard on the window. */
    surveyapp?: SurveyApp;
  }
  interface HTMLElementTagNameMap {
    "survey-widget": HTMLElement;
  }
}

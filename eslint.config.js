/** What ESLint holds the browser's side and its tests to. */

import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/node_modules/", ".venv/", "build/", "docs/"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", caughtErrors: "none" }],
      "no-console": ["error", { allow: ["error"] }],
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: "error",
      "no-implicit-globals": "error",
      "no-underscore-dangle": "error",
      "max-lines": ["error", 600],
    },
  },
  { files: ["dashboard/client/**/*.js"], languageOptions: { globals: globals.browser } },
  {
    // All that is not promised by Dash and Leaflet is in one file.
    files: ["dashboard/client/**/*.js"],
    ignores: ["dashboard/client/adapter.js"],
    rules: {
      "no-restricted-properties": [
        "error",
        ...["L", "dash_clientside", "dash_stores", "ioc", "DashRenderer"].map((property) => ({
          object: "window",
          property,
          message: "Use dashboard/client/adapter.js.",
        })),
      ],
      "no-restricted-globals": ["error", "L", "dash_clientside", "ioc"],
    },
  },
  { files: ["dashboard/client/adapter.js"], rules: { "no-underscore-dangle": "off" } },
  {
    files: ["tests/client/**/*.js", "eslint.config.js"],
    languageOptions: { globals: globals.node },
  },
];

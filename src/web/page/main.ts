/**
 * The entry of the page.
 *
 * @module
 */

import { messageOf } from "./connection.ts";
import { startPlotter } from "./plotter.ts";
import { takeKeyFromAddress } from "./session_key.ts";
import { toast } from "./toast.ts";

takeKeyFromAddress();
startPlotter(document.body).catch((error) => toast(messageOf(error)));

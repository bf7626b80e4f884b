// The handler of the rehearsal in spare.cjs.
'use strict';

exports.handler = async (event) => event;

// The interface that AWS publishes for functions (com.amazonaws:aws-lambda-java-core 1.4.0), declared anew: like AWS's runtime,
// this one has it, so that functions need not bring it. Only names and signatures; what they mean is in AWS's Developer Guide.
package com.amazonaws.services.lambda.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

public interface RequestStreamHandler {
    void handleRequest(InputStream input, OutputStream output, Context context) throws IOException;
}

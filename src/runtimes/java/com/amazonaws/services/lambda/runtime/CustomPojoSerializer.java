// The interface that AWS publishes for functions (com.amazonaws:aws-lambda-java-core 1.4.0), declared anew: like AWS's runtime,
// this one has it, so that functions need not bring it. Only names and signatures; what they mean is in AWS's Developer Guide.
package com.amazonaws.services.lambda.runtime;

import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Type;

public interface CustomPojoSerializer {
    <T> T fromJson(InputStream input, Type type);

    <T> T fromJson(String input, Type type);

    <T> void toJson(T value, OutputStream output, Type type);
}
